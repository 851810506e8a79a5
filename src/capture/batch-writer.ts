import { randomBytes } from 'node:crypto'
import { HoldfastError, toHoldfastError } from '../errors.ts'
import { type Lsn, toLsn } from '../history/lsn.ts'
import { formatState, type StateChecksum } from '../history/state-checksum.ts'
import type { Codec, CommitEntry, SegmentHeader } from '../segment/segment.ts'
import type { ChangedPages, CommitReceiver, FollowPosition } from '../source/follower.ts'
import { CatchingUp } from './catching-up.ts'
import { GatheredRecords, type Mark, noRecords } from './gathered-records.ts'
import type { HistoryEnd, KnownHistory } from './history-end.ts'
import type { PageHashTable } from './page-hash-table.ts'
import { addPatched } from './patched-records.ts'
import { OpenSegment, type OpenSegmentPlace } from './spool/open-segment.ts'
import type { SpoolItem } from './spool/spool-item.ts'

export interface BatchWriterOptions {
  readonly place: OpenSegmentPlace
  readonly codec: Codec
  readonly maxBatchBytes: number
  readonly now: () => number
  /** Of the writer's lease, now. */
  readonly epoch: () => number
  /** Where the follower stands. */
  readonly position: () => FollowPosition
  /** Nothing after the state with this number is kept; awaited before anything is let go by. */
  readonly onGivenUp: (kept: Lsn) => Promise<void>
  /** A segment of these commits is in the spool, durably. */
  readonly onSpooled: (item: SpoolItem, commits: readonly CommitEntry[]) => void
  /** The clock went back by that much. */
  readonly onClockStep: (milliseconds: number) => void
}

/** Records of committed work are handed to the segment from this size on. */
const flushBytes = 256 * 1024
/** A commit larger than this gets a segment of its own, which it is streamed into. */
const largeCommitBytes = 4 * 1024 * 1024
/** A clock that went back by more than this is worth a warning; less is an ordinary adjustment. */
const clockStepMs = 1_000

interface Batch {
  readonly header: SegmentHeader
  readonly openedAt: number
  readonly commits: CommitEntry[]
  segment: OpenSegment | undefined
  pageBytes: number
}

/** Pages of the commit under way. */
interface Commit {
  /** Where its records begin among those gathered. */
  start: Mark
  /** Records that went to the segment already. */
  streamed: number
  pageBytes: number
}

/**
 * Numbers and dates commits and gathers them into log segments in the spool. Until a batch is spooled nothing of it counts:
 * `end` and `table` tell of the spooled history, `last` of all that was taken.
 * Errors of the spool do not reach the follower: they are kept in `failure`, and from then on commits are let go by.
 */
export class BatchWriter implements CommitReceiver {
  readonly #options: BatchWriterOptions
  readonly #pageSize: number
  readonly table: PageHashTable
  #end: HistoryEnd
  #last: HistoryEnd
  #batch: Batch | undefined
  #commit: Commit | undefined
  /** Records that the segment has not got yet: those of the batch, then those of the commit under way. None without a batch. */
  #gathered: GatheredRecords | undefined
  /** Records that it may still be reading. */
  #handedOn: GatheredRecords | undefined
  #clockIsBack = false
  #takenBytes = 0
  #catchingUp: CatchingUp | undefined
  /** Nothing comes that was made before. */
  #currentAt: number
  failure: HoldfastError | undefined

  constructor({ end, pageSize, table }: KnownHistory, options: BatchWriterOptions) {
    this.#options = options
    this.#pageSize = pageSize
    this.table = table
    this.#end = end
    this.#last = end
    this.#currentAt = end.time
  }

  get end(): HistoryEnd {
    return this.#end
  }

  get last(): HistoryEnd {
    return this.#last
  }

  /** Of pages of commits, so far. */
  get takenBytes(): number {
    return this.#takenBytes
  }

  get known(): KnownHistory {
    return { end: this.#end, pageSize: this.#pageSize, table: this.table }
  }

  /** When the open batch got its first commit; undefined if there is none. */
  get openedAt(): number | undefined {
    return this.#batch?.commits.length ? this.#batch.openedAt : undefined
  }

  /** From when on something may have been committed that is not in the spool yet; undefined if nothing is open. */
  get openSince(): number | undefined {
    const times = [this.#catchingUp?.since, this.#batch?.header.firstTime].filter((time) => time !== undefined)
    return times.length === 0 ? undefined : Math.min(...times)
  }

  get isFull(): boolean {
    return (this.#batch?.pageBytes ?? 0) >= this.#options.maxBatchBytes
  }

  async pages(changed: ChangedPages): Promise<void> {
    if (this.failure !== undefined || changed.pages.length === 0) return
    await this.#guarded(async () => {
      const commit = await this.#begun(this.#options.now())
      const records = this.#records()
      addPatched(records, changed, this.#pageSize, this.#last.pageCount)
      commit.pageBytes += changed.values.length
      if (records.end.bytes - commit.start.bytes >= largeCommitBytes) await this.#stream(commit)
    })
  }

  async commit(commit: {
    readonly pageCount: number
    readonly state: StateChecksum
    readonly seenAt: number
  }): Promise<void> {
    if (this.failure !== undefined) return
    await this.#guarded(async () => {
      const work = await this.#begun(commit.seenAt)
      const gathered = this.#records().end
      this.#commit = undefined
      const batch = this.#opened(commit.seenAt)
      const lsn = toLsn(this.#last.lsn + 1)
      const time = batch.commits.length === 0 ? batch.header.firstTime : this.#clamp(commit.seenAt)
      const { pageCount, state } = commit
      const records = work.streamed + gathered.count - work.start.count
      batch.commits.push({ lsn, time, records, pageCount, state })
      batch.pageBytes += work.pageBytes
      this.#takenBytes += work.pageBytes
      this.#last = { lsn, time, state, pageCount }
      if (gathered.bytes >= flushBytes) await this.#flush(batch)
    })
  }

  /**
   * Before commits are taken: what was taken so far is all that had been committed by `since`.
   * @param isLate nobody looked for long: see {@link caughtUp}
   */
  goOn(since: number, isLate: boolean): void {
    this.#currentAt = since
    if (!isLate) return
    if (this.#catchingUp === undefined)
      this.#catchingUp = new CatchingUp({ lsn: this.#last.lsn, time: Math.max(since, this.#last.time) })
    else this.#catchingUp.goOn()
  }

  /** Everything from before which nobody looked at has been taken; what comes is dated by when it is made. */
  caughtUp(): void {
    this.#catchingUp?.end(this.#last)
    this.#endCatchingUp()
  }

  /** Spools the open batch, if there is one. */
  async close(): Promise<void> {
    if (this.failure === undefined) await this.#guarded(() => this.#closeBatch())
  }

  /** The follower broke off within a commit: what came of it is forgotten, the commits before it are spooled. */
  async breakOff(position: FollowPosition): Promise<void> {
    const commit = this.#commit
    this.#commit = undefined
    if (commit !== undefined) this.#gathered?.cutBack(commit.start)
    const isWhole = commit === undefined || commit.streamed === 0
    if (isWhole && this.openedAt !== undefined && position.state === formatState(this.#last.state)) await this.close()
    else await this.discard()
  }

  /** Nothing more can be kept: what was not spooled is given up, and what comes is let go by. */
  async giveUp(error: HoldfastError): Promise<void> {
    const isNews = this.failure === undefined
    this.failure = error
    if (isNews) await this.#options.onGivenUp(this.#end.lsn)
    await this.discard()
  }

  /** What was not spooled is given up. */
  async discard(): Promise<void> {
    const segment = this.#batch?.segment
    this.#batch = undefined
    this.#commit = undefined
    this.#last = this.#end
    await segment?.discard()
    this.#letGo()
  }

  async #begun(time: number): Promise<Commit> {
    if (this.#commit !== undefined) return this.#commit
    if (this.isFull && this.#followerIsAtLast()) await this.#closeBatch()
    this.#opened(time)
    this.#commit = { start: this.#records().end, streamed: 0, pageBytes: 0 }
    return this.#commit
  }

  #opened(time: number): Batch {
    this.#batch ??= {
      header: {
        sourceKind: 'sqlite',
        kind: 'log',
        pageSize: this.#pageSize,
        from: this.#last.lsn,
        epoch: this.#options.epoch(),
        firstTime: this.#clamp(time),
        startState: this.#last.state,
        codec: this.#options.codec,
        cipher: 'none',
        salt: randomBytes(16),
      },
      openedAt: this.#options.now(),
      commits: [],
      segment: undefined,
      pageBytes: 0,
    }
    return this.#batch
  }

  /** Hands on what there is of a large commit. What was committed before it must not depend on its end, so it is spooled first. */
  async #stream(commit: Commit): Promise<void> {
    const before = this.#batch
    if (before !== undefined && before.commits.length > 0 && commit.streamed === 0 && this.#followerIsAtLast())
      await this.#closeBatch()
    const batch = this.#opened(this.#options.now())
    await this.#flush(batch)
  }

  /**
   * Hands the records up to `end` to the segment, and goes on gathering in other memory, since the segment may be reading
   * these until it takes the next ones.
   */
  async #flush(batch: Batch, end: Mark = this.#records().end): Promise<void> {
    const records = this.#records()
    if (end.count === 0) return
    await this.#segmentOf(batch).add(records.upTo(end))
    const next = this.#handedOn ?? GatheredRecords.take()
    next.cutBack(noRecords)
    next.addAfter(end, records)
    this.#gathered = next
    this.#handedOn = records
    const commit = this.#commit
    if (commit === undefined) return
    commit.streamed += end.count - commit.start.count
    commit.start = noRecords
  }

  #records(): GatheredRecords {
    this.#gathered ??= GatheredRecords.take()
    return this.#gathered
  }

  /** No segment reads any more. */
  #letGo(): void {
    this.#handedOn?.give()
    this.#handedOn = undefined
    if (this.#commit !== undefined) return
    this.#gathered?.give()
    this.#gathered = undefined
  }

  #segmentOf(batch: Batch): OpenSegment {
    batch.segment ??= new OpenSegment(this.#options.place, batch.header)
    return batch.segment
  }

  async #closeBatch(): Promise<void> {
    const batch = this.#batch
    const last = batch?.commits.at(-1)
    if (batch === undefined || last === undefined) return
    const position = this.#options.position()
    if (position.state !== formatState(last.state)) {
      const message = `The follower stands at state ${position.state}, the last commit taken has ${formatState(last.state)}.`
      throw new HoldfastError('INTERNAL', message)
    }
    await this.#flush(batch, this.#commit?.start)
    const { lsn: to, time: lastTime, state: endState, pageCount } = last
    const end = { to, lastTime, endState, pageCount }
    const segment = this.#segmentOf(batch)
    const item = await segment.finish(end, batch.commits, {
      position,
      gap: undefined,
      pause: this.#catchingUp?.pauseUpTo(last),
    })
    const { pages, hashes } = await segment.pagesSet()
    this.#batch = undefined
    this.#letGo()
    this.#end = { lsn: to, time: lastTime, state: endState, pageCount }
    this.#endCatchingUp()
    this.table.resize(pageCount)
    this.table.set(pages, hashes)
    this.#options.onSpooled(item, batch.commits)
  }

  #endCatchingUp(): void {
    if (this.#catchingUp?.isOver(this.#end.lsn) === true) this.#catchingUp = undefined
  }

  #followerIsAtLast(): boolean {
    return this.#options.position().state === formatState(this.#last.state)
  }

  /** Times never go back within a history, whatever the clock does. */
  #clamp(time: number): number {
    const earliest = Math.max(this.#last.time, this.#currentAt)
    const back = earliest - time
    if (back > clockStepMs && !this.#clockIsBack) this.#options.onClockStep(back)
    this.#clockIsBack = back > clockStepMs
    return Math.max(time, earliest)
  }

  async #guarded(work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (thrown) {
      await this.giveUp(toHoldfastError(thrown, this.#options.place.folder))
    }
  }
}

/** The state after a segment that was spooled by somebody else than the writer. */
export function endOf({ info, endState, pageCount }: SpoolItem): HistoryEnd {
  return { lsn: info.to, time: info.lastTime, state: endState, pageCount }
}
