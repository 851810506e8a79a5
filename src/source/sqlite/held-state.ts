import { closeSync, constants, fstatSync, openSync } from 'node:fs'
import { HoldfastError } from '../../errors.ts'
import { requireSameFile } from './connect.ts'
import type { DatabaseDescriptors } from './descriptors.ts'
import { fileHeaderBytes, isEmptyFile, parseFileHeader } from './file-header.ts'
import type { FileProbe } from './file-probe.ts'
import { readFrames } from './log/frame-reader.ts'
import { mapLog } from './log/page-map.ts'
import { readFully } from './log/read-fully.ts'
import { type LogHorizon, parseHorizon } from './log/wal-index.ts'
import type { PageSource } from './page-reader.ts'
import type { Begun } from './reader/protocol.ts'

/** The state that SQLite's transaction holds, as files: where its pages lie. */
export interface HeldState extends Disposable {
  readonly pages: PageSource
  /** @throws DATABASE_CHANGED if the file is another, or was written to although a lock forbids it */
  requireUnchanged(): void
}

/**
 * Finds the pages of the state that a transaction holds. Three cases, by SQLite's own rules (wal.c):
 *
 * - Rollback mode: SHARED is held, so nobody writes to the file. The state is the file.
 * - WAL mode, every frame up to the horizon copied into the file (or none there): the state is the file. Our reader stands
 *   on mark 0, which keeps checkpoints from touching the file at all (the log may be reset under us, and is not needed);
 *   or on a mark ≤ the horizon, when the copying was finished after it began: checkpoints never go beyond that mark.
 * - WAL mode, frames not yet copied: our reader stands on a mark ≤ the horizon, never on mark 0, which is given only when
 *   all is copied. While that mark is held, the log cannot be reset, and checkpoints write only pages that have a frame
 *   ≤ the mark: those are read from the log, and all others stand still in the file.
 *
 * A checkpoint may cut the file to the size of the newest commit only if that commit is ours; so pages of the state stay.
 */
export async function holdState(
  probe: FileProbe,
  descriptors: DatabaseDescriptors,
  begun: Begun,
  signal: AbortSignal | undefined,
): Promise<HeldState> {
  const horizon = begun.horizon && parseHorizon(Buffer.from(begun.horizon.header))
  const before = fstatSync(descriptors.database)
  const fileIsComplete = horizon === undefined || (begun.horizon?.backfilled ?? 0) >= horizon.lastFrame
  const logPath = `${probe.path}-wal`
  // `-wal` carries no locks, so this descriptor may come and go.
  const logDescriptor = fileIsComplete ? undefined : openSync(logPath, constants.O_RDONLY)
  let isReleased = false
  const release = () => {
    // The system may have given the number to another file since.
    if (logDescriptor !== undefined && !isReleased) closeSync(logDescriptor)
    isReleased = true
  }
  try {
    const file = { path: logPath, descriptor: logDescriptor ?? -1 }
    const log = fileIsComplete ? undefined : { file, map: await mapLog(file, horizon, signal) }
    const found = { location: probe.location, database: descriptors.database, fileBytes: before.size, log }
    const size = await sizeOf(found, begun, horizon)
    return {
      pages: { ...found, ...size },
      requireUnchanged() {
        requireSameFile(probe, descriptors)
        const now = fstatSync(descriptors.database)
        if (!begun.usesLog && (now.mtimeMs !== before.mtimeMs || now.size !== before.size)) throw written(probe)
      },
      [Symbol.dispose]: release,
    }
  } catch (thrown) {
    release()
    throw thrown
  }
}

/** Page size and count of the state, by the rules of the file format; SQLite must agree. */
async function sizeOf(
  found: Omit<PageSource, 'pageSize' | 'pageCount'>,
  begun: Begun,
  horizon: LogHorizon | undefined,
): Promise<{ readonly pageSize: number; readonly pageCount: number }> {
  if (isEmptyFile(found.fileBytes)) return { pageSize: begun.pageSize, pageCount: 0 }
  const { pageSize } = begun
  const stored =
    horizon !== undefined && horizon.pageCount > 0 ? horizon.pageCount : Math.ceil(found.fileBytes / pageSize)
  const firstPage = Buffer.alloc(pageSize)
  await readFully(found.database, firstPage, 0)
  if (found.log) await readFrames(found.log.file, found.log.map, { first: 1, values: firstPage, pageSize })
  const header = parseFileHeader(firstPage.subarray(0, fileHeaderBytes))
  // A count beyond what is stored belongs to a file that was cut short. One below it: what follows is no part of it.
  const pageCount = Math.min(header?.pageCount ?? stored, stored)
  if (header?.pageSize !== pageSize || pageCount !== begun.pageCount) {
    const ours = `${pageCount} pages of ${header?.pageSize} bytes`
    const theirs = `${begun.pageCount} of ${pageSize}`
    throw new HoldfastError('INTERNAL', `${found.location} reads as ${ours}, but SQLite sees ${theirs}.`, {
      object: found.location,
    })
  }
  return { pageSize, pageCount }
}

function written(probe: FileProbe): HoldfastError {
  return new HoldfastError('DATABASE_CHANGED', `${probe.location} was written to while it was locked for reading.`, {
    object: probe.location,
    hint: 'Something other than SQLite writes to it, such as cp, rsync or a synchronised folder. Run it again afterwards.',
  })
}
