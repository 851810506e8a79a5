/** A database with a log, in memory, and the truth about every commit. Each commit writes its number into page 1. */
import { setImmediate } from 'node:timers/promises'
import type { FollowedSource } from '../../../src/capture/follow-options.ts'
import { HoldfastError } from '../../../src/errors.ts'
import { addHash, emptyState, formatState } from '../../../src/history/state-checksum.ts'
import type {
  ChangedPages,
  CommitReceiver,
  DatabaseFollower,
  DrainResult,
  FollowPosition,
  FollowStart,
  LossReason,
  OpenFollowerOptions,
} from '../../../src/source/follower.ts'
import type { PageBatch } from '../../../src/source/page-batch.ts'
import { pageHash } from '../../../src/util/page-hash.ts'
import { PageSource } from '../../support/page-source.ts'
import type { Random } from '../../support/random.ts'
import type { FakeClock } from './fake-clock.ts'

interface LogCommit {
  readonly changes: readonly {
    readonly page: number
    readonly before: Uint8Array | undefined
    readonly after: Uint8Array
  }[]
  readonly image: readonly Uint8Array[]
  readonly at: number
}

export class FakeDatabase extends PageSource implements FollowedSource {
  readonly clock: FakeClock
  file = 'inode 1'
  generation = 1
  log: LogCommit[] = []
  /** The state that the log builds on. */
  start: readonly Uint8Array[] = []
  resetBeforeNext = false
  /** Somebody else's reader keeps hand-offs from completing. */
  isHeld = false
  followers = 0
  /** Thrown by the next drain, after so many pages. */
  failAfterPages: { pages: number; error: Error } | undefined
  /** Whatever the follower says next time. */
  loseNext: LossReason | undefined
  hasLog = true
  /** Nobody who follows gets to look since then. */
  stalledSince: number | undefined
  /** What was committed cannot be found out at present. */
  isUnknown = false
  /** Called when all pages of the state that a follower begins with have been read. */
  onRead: (() => Promise<void> | void) | undefined
  /** Called when it was opened in the way that does not fit its journal mode. */
  onSwitch: (() => void) | undefined
  /** Thrown instead of opening the database. */
  busy: HoldfastError | undefined
  seq = 0
  /** Image of the database by commit number. */
  readonly truth = new Map<number, Buffer>()
  #wakes = new Set<() => void>()

  constructor(clock: FakeClock, pages = 6) {
    super()
    this.clock = clock
    this.now = () => clock.now()
    this.fill(pages, 3)
    this.#stamp()
    this.start = [...this.pages]
  }

  /** Changes some pages; grows or shrinks the database. */
  commitRandom(random: Random): void {
    const changes = new Map<number, Uint8Array>()
    const before = this.pages.length
    const pageCount = random.chance(15) ? 2 + random.below(before + 4) : before
    for (let page = before + 1; page <= pageCount; page += 1) changes.set(page, random.bytes(this.pageSize))
    for (let count = random.below(4); count > 0; count -= 1) {
      const page = 1 + random.below(pageCount)
      const value = Uint8Array.from(changes.get(page) ?? this.pages[page - 1] ?? new Uint8Array(this.pageSize))
      value[random.below(this.pageSize)] = random.below(256)
      changes.set(page, random.chance(20) ? random.bytes(this.pageSize) : value)
    }
    this.commit(changes, pageCount)
  }

  commit(changes: ReadonlyMap<number, Uint8Array>, pageCount = this.pages.length): void {
    if (this.resetBeforeNext) this.reset()
    const before = this.pages
    this.pages = before.slice(0, pageCount)
    for (const [page, value] of changes) if (page <= pageCount) this.pages[page - 1] = value
    this.#stamp()
    const written = [...new Set([1, ...changes.keys()])].filter((page) => page <= pageCount).sort((a, b) => a - b)
    const changed = written.map((page) => ({
      page,
      before: before[page - 1],
      after: this.pages[page - 1] ?? new Uint8Array(0),
    }))
    this.log.push({ changes: changed, image: [...this.pages], at: this.clock.now() })
    for (const wake of this.#wakes) wake()
  }

  /** As a checkpoint by the application: everything is in the file, the log begins anew. */
  reset(): void {
    this.resetBeforeNext = false
    this.generation += 1
    this.start = [...this.pages]
    this.log = []
  }

  /** A write that no log tells of. */
  changeBehindTheLog(page: number, value: number): void {
    const bytes = Uint8Array.from(this.pages[page - 1] ?? new Uint8Array(this.pageSize))
    bytes[100] = value
    this.pages[page - 1] = bytes
    this.#stamp()
  }

  async openFollower(options: OpenFollowerOptions): Promise<DatabaseFollower> {
    if (this.busy !== undefined) throw this.busy
    if (!this.hasLog) {
      this.onSwitch?.()
      throw new HoldfastError('DATABASE_UNSUPPORTED', 'No log.')
    }
    const { resume } = options
    const reason = resume === undefined ? undefined : this.#cannotResume(resume.position)
    this.followers += 1
    return new FakeFollower(
      this,
      resume !== undefined && reason === undefined ? resume.position.frame : undefined,
      reason,
    )
  }

  override async openSnapshot() {
    if (this.busy !== undefined) throw this.busy
    if (this.hasLog) this.onSwitch?.()
    return { ...(await super.openSnapshot()), blocksWriters: !this.hasLog }
  }

  imageAt(frame: number): readonly Uint8Array[] {
    return frame === 0 ? this.start : (this.log[frame - 1]?.image ?? [])
  }

  async waitForCommit(timeoutMs: number, signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted) return
    if (timeoutMs <= 10_000) return await this.clock.sleep(timeoutMs, signal)
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#wakes.add(resolve)
    signal?.addEventListener('abort', () => resolve(), { once: true })
    await promise
    this.#wakes.delete(resolve)
  }

  #cannotResume(position: FollowPosition): LossReason | undefined {
    if (position.file !== this.file) return 'file-replaced'
    if (position.salts !== saltsOf(this.generation)) return 'log-reset'
    if (position.frame > this.log.length) return 'frames-vanished'
    return position.state === formatState(stateOf(this.imageAt(position.frame))) ? undefined : 'audit-failed'
  }

  #stamp(): void {
    this.seq += 1
    const first = Uint8Array.from(this.pages[0] ?? new Uint8Array(this.pageSize))
    new DataView(first.buffer).setUint32(24, this.seq)
    this.pages[0] = first
    this.truth.set(this.seq, this.image())
  }
}

export function seqOf(image: Uint8Array): number {
  return Buffer.from(image).readUInt32BE(24)
}

class FakeFollower implements DatabaseFollower {
  readonly start: FollowStart
  readonly pageSize: number
  readonly #database: FakeDatabase
  #frame: number
  #generation: number
  #image: readonly Uint8Array[]
  #lost: LossReason | undefined
  #currentAt: number | undefined
  isCurrent = false

  constructor(database: FakeDatabase, frame: number | undefined, reason: LossReason | undefined) {
    this.#database = database
    this.pageSize = database.pageSize
    this.#generation = database.generation
    this.#frame = frame ?? database.log.length
    this.#image = frame === undefined ? [...database.pages] : database.imageAt(this.#frame)
    const image = this.#image
    const { pageSize } = this
    this.start =
      frame !== undefined
        ? { kind: 'resumed' }
        : {
            kind: 'anew',
            reason,
            missed: reason === 'log-reset' && database.log.length > 0,
            pageSize,
            pageCount: image.length,
            capturedAt: database.clock.now(),
            pages: async function* () {
              yield* batchesOf(image, pageSize)
              await database.onRead?.()
            },
            begin: async () => {},
          }
  }

  get position(): FollowPosition {
    return {
      file: this.#database.file,
      pageSize: this.pageSize,
      pageCount: this.#image.length,
      salts: saltsOf(this.#generation),
      state: formatState(stateOf(this.#image)),
      frame: this.#frame,
      checksum: [-1 - this.#frame, 0xffff_ffff],
    }
  }

  get logBytes(): number {
    return this.#database.resetBeforeNext ? 0 : this.#database.log.length * 1000
  }

  async drain(receiver: CommitReceiver): Promise<DrainResult> {
    const database = this.#database
    this.#lost ??= database.loseNext
    database.loseNext = undefined
    let commits = 0
    this.isCurrent = !database.isUnknown
    if (database.isUnknown) return { commits, bytes: 0, lost: this.#lost }
    this.#currentAt = database.clock.now()
    if (this.#generation !== database.generation) {
      // While it is attached, only a log that was handed off can have been reset.
      this.#generation = database.generation
      this.#frame = 0
    }
    while (this.#lost === undefined && this.#frame < database.log.length) {
      const next = database.log[this.#frame]
      if (next === undefined) break
      await this.#give(next, receiver)
      this.#frame += 1
      this.#image = next.image
      commits += 1
      await receiver.commit({ pageCount: next.image.length, state: stateOf(next.image), seenAt: database.clock.now() })
    }
    return { commits, bytes: commits * 1000, lost: this.#lost }
  }

  /** As one that looks all the time. */
  get currentAt(): number | undefined {
    const { clock, log, generation, stalledSince, isUnknown } = this.#database
    if (this.#currentAt === undefined || isUnknown) return this.#currentAt
    const next = log[generation === this.#generation ? this.#frame : 0]
    const lookedAt = stalledSince ?? clock.now()
    return Math.max(this.#currentAt, next === undefined ? lookedAt : Math.min(next.at, lookedAt))
  }

  async handOff(receiver: CommitReceiver) {
    const drained = await this.drain(receiver)
    const frames = this.#database.log.length
    const complete = !this.#database.isHeld && drained.lost === undefined
    if (complete) this.#database.resetBeforeNext = true
    const obstacle = complete ? undefined : ('reader' as const)
    return { ...drained, complete, obstacle, lockHeldMs: 0.1, framesBefore: frames, framesLeft: complete ? 0 : frames }
  }

  async audit(receiver: CommitReceiver) {
    const drained = await this.drain(receiver)
    const equal = stateOf(this.#image) === stateOf(this.#database.pages)
    return { ...drained, equal, lost: drained.lost ?? (equal ? undefined : ('audit-failed' as const)) }
  }

  async wait(timeoutMs: number, signal?: AbortSignal): Promise<void> {
    await setImmediate()
    if (this.#frame < this.#database.log.length && this.#generation === this.#database.generation) return
    await this.#database.waitForCommit(timeoutMs, signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#database.followers -= 1
  }

  async #give({ changes }: LogCommit, receiver: CommitReceiver): Promise<void> {
    for (let start = 0; start < changes.length; start += 2) {
      const { failAfterPages } = this.#database
      if (failAfterPages !== undefined) failAfterPages.pages -= 2
      if (failAfterPages !== undefined && failAfterPages.pages < 0) {
        this.#database.failAfterPages = undefined
        throw failAfterPages.error
      }
      await receiver.pages(this.#batch(changes.slice(start, start + 2)))
    }
  }

  #batch(changes: LogCommit['changes']): ChangedPages {
    return {
      pages: Uint32Array.from(changes, ({ page }) => page),
      values: Buffer.concat(changes.map(({ after }) => after)),
      hashes: BigUint64Array.from(changes, ({ page, after }) => pageHash(page, after)),
      former: Buffer.concat(changes.map(({ before }) => before ?? new Uint8Array(this.pageSize))),
      hasFormer: Uint8Array.from(changes, ({ before }) => (before === undefined ? 0 : 1)),
    }
  }
}

const saltsOf = (generation: number) => generation.toString(16).padStart(16, '0')

function stateOf(image: readonly Uint8Array[]): bigint {
  return image.reduce((state, value, at) => addHash(state, pageHash(at + 1, value)), emptyState)
}

async function* batchesOf(image: readonly Uint8Array[], pageSize: number): AsyncGenerator<PageBatch> {
  const values = new Uint8Array(4 * pageSize)
  for (let start = 0; start < image.length; start += 4) {
    const part = image.slice(start, start + 4)
    for (const [at, value] of part.entries()) values.set(value, at * pageSize)
    yield {
      pages: Uint32Array.from(part, (_, at) => start + at + 1),
      values: values.subarray(0, part.length * pageSize),
      hashes: BigUint64Array.from(part, (value, at) => pageHash(start + at + 1, value)),
    }
  }
}
