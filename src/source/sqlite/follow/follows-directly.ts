import { lockPage } from '../../../util/lock-page.ts'
import { pageHash } from '../../../util/page-hash.ts'
import type { LogFile } from '../log/page-map.ts'
import type { LogHorizon } from '../log/wal-index.ts'
import { type PageSource, readPages } from '../page-reader.ts'
import type { PendingReads } from '../pending-reads.ts'
import { readFormerFrames } from './former-log.ts'
import { readFrameRun } from './frame-run.ts'
import type { LogPlace } from './log-cursor.ts'

/** The database file, held by a reader of ours. */
export interface FileContent extends Pick<PageSource, 'location' | 'database' | 'fileBytes'> {
  readonly reads: PendingReads
  /** What of this log has been copied into the file since it was begun; undefined if another log has begun meanwhile. */
  copiedOf(horizon: LogHorizon): 'nothing' | 'perhaps' | undefined
}

export interface LeftState {
  readonly place: LogPlace
  readonly pageCount: number
  /** Of every page, entry `page - 1`. */
  readonly hashes: BigUint64Array
}

/**
 * Proves that the present log directly follows the one that we stand in, and that every commit of that one can still be had.
 *
 * 1. There was one reset. SQLite adds one to the first salt at a reset, and draws both at random for a new log file.
 * 2. It is known where the former log ended: what it held beyond our place is still there, up to a last frame after which
 *    nothing was ever written in that log (former-log.ts). A reset needs everything copied: so at that moment the file held
 *    the state of the last of these commits.
 * 3. The file holds that state, page by page, as the reset left it: no page comes from the present log. Either nothing of that has
 *    been copied, before we looked and while we did; or, where that is not known (the index was made anew after a crash),
 *    none of its frames holds what the file does. This guards against what 1 and 2 cannot see: a log that lost its end with the
 *    power, and was then written to again; a writer that disregards locks.
 *
 * None of these is enough alone: with equal content, commits that undo one another may have been missed.
 *
 * @returns the frame of the last commit in the former log, and the byte order of the checksums; undefined if it cannot be proved
 */
export async function endOfFormerLog(
  { place, pageCount, hashes }: LeftState,
  now: {
    readonly pageSize: number
    readonly horizon: LogHorizon
    readonly log: LogFile
    readonly content: FileContent
  },
  signal: AbortSignal | undefined,
): Promise<{ readonly lastFrame: number; readonly bigEndian: boolean } | undefined> {
  const { pageSize, horizon, content } = now
  if (horizon.salts.readUInt32BE(0) !== (place.salts.readUInt32BE(0) + 1) >>> 0) return undefined
  const expected = new ExpectedState(pageSize, { pageCount, hashes })
  let lastFrame = place.frame
  const end = await readFormerFrames(now.log, place, { pageSize, signal }, (frame) => {
    expected.set(frame.page, frame.value)
    if (frame.commit === 0) return
    expected.commit(frame.commit)
    lastFrame = frame.frame
  })
  if (end === undefined) return undefined
  const pages = { ...content, pageSize, pageCount: expected.pageCount, log: undefined }
  for await (const batch of readPages(pages, content.reads, signal)) {
    if (!expected.has(batch.pages, batch.hashes)) return undefined
  }
  if (content.copiedOf(horizon) === 'nothing') return { ...end, lastFrame }
  const isAsLeft = await comesFromNoFrame(expected, now, signal)
  return isAsLeft && content.copiedOf(horizon) !== undefined ? { ...end, lastFrame } : undefined
}

/**
 * Whether no frame of the present log holds a page as it is expected. Where the file does, it was not copied then, whatever the
 * index says: checkpoints copy no other frames, and none beyond the horizon as long as our reader stands there.
 */
async function comesFromNoFrame(
  expected: ExpectedState,
  { log, horizon, pageSize }: { readonly log: LogFile; readonly horizon: LogHorizon; readonly pageSize: number },
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const start = { salts: horizon.salts, frame: 0, checksum: [0, 0] } as const
  let isIn = false
  const run = await readFrameRun(log, start, { pageSize, until: horizon.lastFrame, signal }, ({ page, value }) => {
    isIn ||= expected.hasPage(page, pageHash(page, value))
  })
  return !isIn && run?.lastFrame === horizon.lastFrame
}

/** The page hashes of our state, and of the commits after it. */
class ExpectedState {
  readonly #hashes: BigUint64Array
  readonly #lockPage: number
  readonly #later = new Map<number, bigint>()
  #open = new Map<number, bigint>()
  pageCount: number

  constructor(pageSize: number, state: { readonly pageCount: number; readonly hashes: BigUint64Array }) {
    this.#lockPage = lockPage(pageSize)
    this.#hashes = state.hashes
    this.pageCount = state.pageCount
  }

  set(page: number, value: Uint8Array): void {
    if (page !== this.#lockPage) this.#open.set(page, pageHash(page, value))
  }

  commit(pageCount: number): void {
    for (const [page, hash] of this.#open) this.#later.set(page, hash)
    this.#open = new Map()
    this.pageCount = pageCount
  }

  has(pages: Uint32Array, hashes: BigUint64Array): boolean {
    return pages.every((page, at) => this.hasPage(page, hashes[at]))
  }

  hasPage(page: number, hash: bigint | undefined): boolean {
    return (this.#later.get(page) ?? this.#hashes[page - 1]) === hash
  }
}
