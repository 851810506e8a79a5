import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { Repository } from '../../../src/repository/repository.ts'
import { openStorage } from '../../../src/storage/open-storage.ts'
import { checkOracle, createOracleDatabase } from '../../support/oracle.ts'
import type { Random } from '../../support/random.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { WriterProcess } from '../../support/writer-process.ts'
import { FollowProcess } from './follow-process.ts'
import { FollowedHistory, leftovers } from './followed-history.ts'
import type { KillTally } from './kill-storm.ts'
import { LogWitness } from './log-witness.ts'
import { ReplayedTruth } from './replayed-truth.ts'
import { isResetAtStart } from './reset-at-start.ts'

const often = { syncIntervalMs: 20, auditIntervalMs: 150, rollUpEvery: 8 } as const

/** How often the log is reset decides what a follower finds when it comes back: the log as it was, or a need to heal. */
interface Temperament {
  readonly handOff: { readonly logBytes: number; readonly ageMs: number }
  readonly maintenancePercent: number
  readonly autoCheckpoint: number
}
const temperaments: readonly [Temperament, ...Temperament[]] = [
  { handOff: { logBytes: 96 * 1024, ageMs: 400 }, maintenancePercent: 3, autoCheckpoint: 100 },
  { handOff: { logBytes: 1024 * 1024, ageMs: 5_000 }, maintenancePercent: 0, autoCheckpoint: 1000 },
  { handOff: { logBytes: 8 * 1024 * 1024, ageMs: 60_000 }, maintenancePercent: 0, autoCheckpoint: 0 },
]

/** One small database, with two writers and a follower that live for moments only. */
export class StormLane implements AsyncDisposable {
  readonly #folder: ReturnType<typeof temporaryFolder>
  readonly #random: Random
  readonly #tally: KillTally
  readonly #compiled: string
  readonly #repository: Repository
  readonly #history: FollowedHistory
  readonly #witness: LogWitness
  readonly #truth: ReplayedTruth
  readonly #temperament: Temperament
  readonly #writers: WriterProcess[] = []
  #standby: FollowProcess

  private constructor(
    folder: ReturnType<typeof temporaryFolder>,
    repository: Repository,
    random: Random,
    tally: KillTally,
    compiled: string,
  ) {
    this.#folder = folder
    this.#random = random
    this.#tally = tally
    this.#compiled = compiled
    this.#repository = repository
    const database = repository.database('app')
    this.#history = new FollowedHistory(repository, folder.file('restored.db'), random)
    this.#truth = new ReplayedTruth(database, folder.file('replayed.db'), random)
    this.#witness = new LogWitness(this.#path)
    this.#temperament = random.pick(temperaments)
    this.#standby = new FollowProcess(compiled)
  }

  static async begin(random: Random, tally: KillTally, compiled: string): Promise<StormLane> {
    const folder = temporaryFolder()
    createOracleDatabase(folder.file('app.db'), {
      pageSize: random.pick([512, 1024, 4096]),
      autoVacuum: random.pick(['none', 'full', 'incremental']),
    })
    const repository = await Repository.init(await openStorage(folder.file('repository')))
    return new StormLane(folder, repository, random, tally, compiled)
  }

  get #path(): string {
    return this.#folder.file('app.db')
  }

  /** A follower's life, cut short with or without those of the writers, and what happens until the next. */
  async round(): Promise<void> {
    const random = this.#random
    await this.#startWriters()
    if (random.chance(20)) await delay(random.below(60))
    const gapsBefore = await this.#history.gapCount()
    const { anchor } = this.#witness
    await using follower = await this.#startFollower()
    await this.#live(follower)
    const inOrder = random.chance(4)
    if (inOrder) await this.#stop(follower)
    else await this.#kill(follower)
    this.#judge(follower)
    await this.#history.check()
    if (this.#witness.isIntact(anchor)) await this.#judgeContinuity(follower, gapsBefore)
    if (random.chance(15)) await this.#killWriters()
  }

  /** Every state against what it was before and what was promised, and a few by way of a restore. */
  async prove(): Promise<void> {
    const { states } = await this.#truth.check(this.#history.acknowledged)
    this.#tally.replayed += states
    const before = this.#history.restores
    await this.#history.restoreSome()
    this.#tally.restores += this.#history.restores - before
  }

  /** With nobody writing, a start loses nothing, and nothing is left behind. */
  async endInOrder(): Promise<void> {
    await Promise.all(this.#writers.splice(0).map((writer) => writer.stop()))
    await using follower = await this.#startFollower()
    await follower.started
    const newest = checkOracle(this.#path)
    const lsn = await follower.sync()
    this.#history.acknowledged.push({ lsn, atLeast: newest, atMost: newest })
    await this.#stop(follower)
    this.#judge(follower)
    await this.#history.check()
    await this.prove()
    await this.#history.verify()
    assert.deepEqual(leftovers(this.#folder.path), [])
    this.#tally.acknowledged += this.#history.acknowledged.length
    this.#tally.commits += newest
    for (const [reason, count] of await this.#history.gapsByReason())
      this.#tally.gaps.set(reason, (this.#tally.gaps.get(reason) ?? 0) + count)
  }

  /** Half of all lives end while it starts: it heals, stores its base, sends what waits in the spool. */
  async #live(follower: FollowProcess): Promise<void> {
    const random = this.#random
    if (random.chance(50)) await delay(random.below(180))
    // It may have found the database busy, and ended by itself.
    else await follower.started.catch(() => {})
    this.#witness.look()
    for (let left = random.below(4); left > 0; left -= 1) {
      const synced = this.#sync(follower)
      if (random.chance(50)) await synced
      await delay(random.below(60))
      if (random.chance(8)) await this.#killWriters()
    }
  }

  async #startWriters(): Promise<void> {
    for (const { isRunning } of this.#writers) assert.ok(isRunning, 'a writer failed')
    const random = this.#random
    while (this.#writers.length < 1 + random.below(2)) {
      const { maintenancePercent, autoCheckpoint } = this.#temperament
      const options = { path: this.#path, rows: 60, pauseMs: 4, stamp: true, maintenancePercent, autoCheckpoint }
      this.#writers.push(await WriterProcess.start({ ...options, seed: random.below(2 ** 32) }))
    }
  }

  async #killWriters(): Promise<void> {
    this.#tally.writerKills += this.#writers.length
    await Promise.all(this.#writers.splice(0).map((writer) => writer.kill()))
  }

  async #startFollower(): Promise<FollowProcess> {
    const follower = this.#standby
    await follower.booted
    this.#standby = new FollowProcess(this.#compiled)
    follower.follow({
      path: this.#path,
      repository: this.#folder.file('repository'),
      stateFolder: this.#folder.file('state'),
      pace: { ...often, handOff: this.#temperament.handOff },
    })
    return follower
  }

  async #sync(follower: FollowProcess): Promise<void> {
    const seen = this.#witness.look()
    const lsn = await follower.sync().catch(() => undefined)
    // It died before it answered.
    if (lsn === undefined) return
    this.#history.acknowledged.push({ lsn, atLeast: seen.seq, atMost: this.#witness.look().seq })
    this.#witness.confirm(seen)
  }

  async #stop(follower: FollowProcess): Promise<void> {
    // It may have found the database busy, and ended by itself.
    await follower.started.catch(() => {})
    if (!follower.isRunning) return
    await follower.stop()
    this.#tally.stops += 1
  }

  async #kill(follower: FollowProcess): Promise<void> {
    if (!follower.isRunning) return
    if (this.#random.chance(30)) {
      this.#tally.killsOfBoth += 1
      await Promise.all([follower.kill(), this.#killWriters()])
    } else await follower.kill()
    this.#tally.followerKills += 1
    if (!follower.events.some(({ kind }) => kind === 'started')) this.#tally.killsAtStart += 1
  }

  #judge({ events, failure }: FollowProcess): void {
    if (failure !== undefined && failure.code !== 'DATABASE_BUSY') assert.fail(failure.message)
    const began = events.findIndex(({ kind }) => kind === 'started')
    const start = events[began]
    if (start?.kind !== 'started') return
    this.#tally.starts.set(start.how, (this.#tally.starts.get(start.how) ?? 0) + 1)
    const losses = events.slice(began + 1).filter(({ kind }) => kind === 'gap' || kind === 'spool-full')
    const [first] = losses
    if (first?.kind === 'gap' && isResetAtStart(first, start)) {
      this.#tally.resetsAtStart += 1
      losses.shift()
    }
    assert.deepEqual(losses, [], `continuity was lost while it ran, which began at LSN ${start.lsn}: ${start.how}`)
  }

  /** The log held all that came after a state that had been acknowledged, from before it started until after its end. */
  async #judgeContinuity({ events }: FollowProcess, gapsBefore: number): Promise<void> {
    assert.equal(await this.#history.gapCount(), gapsBefore, 'a gap was recorded although nothing was missing')
    const start = events.find((event) => event.kind === 'started')
    if (start === undefined) return
    assert.equal(start.how, 'resumed', 'it began anew although nothing was missing')
    this.#tally.intactLogs += 1
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#standby.kill()
    await this.#killWriters()
    await this.#repository[Symbol.asyncDispose]()
    this.#folder[Symbol.dispose]()
  }
}
