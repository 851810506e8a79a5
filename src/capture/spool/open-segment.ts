import { basename, join } from 'node:path'
import { HoldfastError, toHoldfastError } from '../../errors.ts'
import type { SegmentInfo } from '../../history/segment-info.ts'
import { segmentKey } from '../../repository/layout.ts'
import type { PageTablePart } from '../../segment/page-table.ts'
import type { CommitEntry, RecordBatch, SegmentEnd, SegmentHeader } from '../../segment/segment.ts'
import { writeSegment } from '../../segment/write-segment.ts'
import type { LocalFiles, LocalWriter } from './local-files.ts'
import { RecordChannel } from './record-channel.ts'
import { spoolCodecs } from './spool-codecs.ts'
import { encodeFooter, type SpoolFooter } from './spool-footer.ts'
import type { SpoolItem } from './spool-item.ts'

export const temporarySuffix = '.tmp'
export const spooledSuffix = '.spool'

export interface OpenSegmentPlace {
  readonly files: LocalFiles
  /** Folder of the spool. */
  readonly folder: string
  /** Name of the database in the repository. */
  readonly database: string
  readonly level?: number | undefined
}

interface Written {
  readonly file: LocalWriter
  /** Of the segment. */
  readonly bytes: number
  readonly set: PageTablePart
}

interface Ending {
  readonly end: SegmentEnd
  readonly commits: readonly CommitEntry[]
}

/**
 * A segment that is being written to the spool. Its records go to a temporary file as they come, so that one of any size takes
 * bounded memory; it becomes part of the spool, durably, by {@link finish}.
 */
export class OpenSegment {
  readonly header: SegmentHeader
  readonly #place: OpenSegmentPlace
  readonly #path: string
  readonly #channel = new RecordChannel()
  readonly #written: Promise<Written>
  #ending: Ending | undefined

  constructor(place: OpenSegmentPlace, header: SegmentHeader) {
    this.header = header
    this.#place = place
    this.#path = join(place.folder, `${Buffer.from(header.salt).toString('hex')}${temporarySuffix}`)
    this.#written = this.#write()
    this.#written.catch((error: unknown) => this.#channel.fail(error))
  }

  /** The batch's memory is free once the next one has been added, or the segment is finished or discarded. @throws DISK_FULL, ACCESS_DENIED, INTERNAL */
  async add(batch: RecordBatch): Promise<void> {
    await this.#channel.push(batch)
  }

  /** Writes all but the footer. @throws as {@link finish} */
  async complete(end: SegmentEnd, commits: readonly CommitEntry[]): Promise<void> {
    this.#ending = { end, commits }
    this.#channel.end()
    await this.#written
  }

  /** @throws DISK_FULL, ACCESS_DENIED, INTERNAL; the temporary file is then still to be discarded */
  async finish(end: SegmentEnd, commits: readonly CommitEntry[], footer: SpoolFooter): Promise<SpoolItem> {
    await this.complete(end, commits)
    const { file, bytes } = await this.#written
    try {
      await file.write(encodeFooter(footer))
      await file.sync()
    } finally {
      await file.close()
    }
    const { files, folder, database } = this.#place
    const { kind, from, epoch, firstTime, startState, pageSize } = this.header
    const range = { kind, from, to: end.to, epoch, firstTime, lastTime: end.lastTime }
    const info: SegmentInfo = { ...range, bytes, key: segmentKey(database, range) }
    const path = join(folder, `${basename(info.key)}${spooledSuffix}`)
    await files.rename(this.#path, path)
    await files.syncFolder(folder)
    const { endState, pageCount } = end
    return { info, path, startState, endState, pageCount, pageSize, ...footer }
  }

  /** Whatever became of it, its temporary file goes; one that cannot be removed now goes at the next start. */
  async discard(): Promise<void> {
    this.#channel.end()
    const [written] = await Promise.allSettled([this.#written])
    if (written.status === 'fulfilled') await Promise.allSettled([written.value.file.close()])
    await Promise.allSettled([this.#place.files.remove(this.#path)])
  }

  /** The pages that the segment sets, ascending, and the hash of each at its end. Once it is finished. */
  async pagesSet(): Promise<PageTablePart> {
    return (await this.#written).set
  }

  async #write(): Promise<Written> {
    const file = await this.#place.files.create(this.#path)
    try {
      const stream = writeSegment(this.header, this.#channel, () => this.#ended().end, {
        level: this.#place.level,
        codecs: spoolCodecs(this.header.codec, this.#place.level),
        commits: () => this.#ended().commits,
      })
      for await (const chunk of stream) await file.write(chunk)
      return { file, bytes: stream.totals().storedBytes, set: stream.set() }
    } catch (thrown) {
      await Promise.allSettled([file.close()])
      throw toHoldfastError(thrown, this.#path)
    }
  }

  #ended(): Ending {
    if (this.#ending === undefined)
      throw new HoldfastError('ABORTED', 'The segment was given up.', { object: this.#path })
    return this.#ending
  }
}
