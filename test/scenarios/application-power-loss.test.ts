/**
 * The machine loses power while an application with `synchronous = NORMAL`, which syncs its log only at checkpoints, is followed. What
 * SQLite finds of its log afterwards may be older than what was taken from it.
 */
import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { after, describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { gapReasons } from '../../src/capture/gap-reasons.ts'
import { Repository } from '../../src/repository/repository.ts'
import { openStorage } from '../../src/storage/open-storage.ts'
import { checkOracle, createOracleDatabase, readOracle } from '../support/oracle.ts'
import { type Random, seededRandom, testSeed } from '../support/random.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { WriterProcess } from '../support/writer-process.ts'
import { FollowProcess } from './support/follow-process.ts'
import { FollowedHistory } from './support/followed-history.ts'
import { logSalts } from './support/log-witness.ts'
import { type Damage, losePower } from './support/lost-log.ts'

/** What happens between the loss of power and the follower's return. */
const returns = [
  'the follower comes back first',
  'the application writes a little before',
  'the application writes more than was lost before',
  'the application comes back, and resets its log',
] as const

const seed = testSeed()
const damages: readonly Damage[] = ['ends at a commit', 'ends within a frame', 'has a hole', 'is torn', 'is empty']

const fewestCommits = 5

/** Of compiled code, for the followers of all tests. */
const compiled = temporaryFolder()
after(() => compiled[Symbol.dispose]())

describe(`an application loses power, and its log (HOLDFAST_SEED=${seed})`, () => {
  for (const [index, damage] of damages.entries()) {
    for (const [turn, meanwhile] of returns.entries()) {
      it(`${damage}; ${meanwhile}`, { timeout: 120_000 }, async () => {
        const random = seededRandom(seed + index * returns.length + turn)
        await using scene = await Scene.make(random)
        const lost = await scene.followUntilPowerFails(damage)
        await scene.meanwhile(meanwhile)
        const healed = await scene.followAgain()

        const reason = gapReasons[healed.isSameLog ? 'frames-vanished' : 'log-reset']
        assert.deepEqual(scene.gaps, [{ fromLsn: lost.lsn, toLsn: lost.lsn + 1, reason }])
        const { history } = scene
        for (const { lsn, atLeast, atMost } of history.acknowledged) {
          const { seq } = await history.restore({ by: 'lsn', lsn })
          assert.ok(seq >= atLeast && seq <= atMost, `LSN ${lsn} is commit ${seq}, not ${atLeast} to ${atMost}`)
        }
        assert.equal(
          (await history.restore({ by: 'lsn', lsn: lost.lsn })).seq,
          lost.seq,
          'also what the machine forgot',
        )
        assert.equal((await history.restore({ by: 'lsn', lsn: healed.lsn })).seq, healed.seq)
        await history.verify()
      })
    }
  }
})

class Scene implements AsyncDisposable {
  readonly #folder: ReturnType<typeof temporaryFolder>
  readonly #random: Random
  readonly #repository: Repository
  readonly history: FollowedHistory
  #salts: string | undefined
  gaps: { fromLsn: number; toLsn: number; reason: string }[] = []

  private constructor(random: Random, folder: ReturnType<typeof temporaryFolder>, repository: Repository) {
    this.#random = random
    this.#folder = folder
    this.#repository = repository
    this.history = new FollowedHistory(repository, folder.file('restored.db'), random)
  }

  static async make(random: Random): Promise<Scene> {
    const folder = temporaryFolder()
    createOracleDatabase(folder.file('app.db'), { pageSize: random.pick([1024, 4096]) })
    return new Scene(random, folder, await Repository.init(await openStorage(folder.file('repository'))))
  }

  get #path(): string {
    return this.#folder.file('app.db')
  }

  /** The follower has taken, and the repository got, all that was committed; then everything ends at once. */
  async followUntilPowerFails(damage: Damage): Promise<{ readonly lsn: number; readonly seq: number }> {
    await using follower = await this.#follower()
    await using writer = await this.#writer(0)
    for (let turn = 0; turn < 3; turn += 1) {
      await delay(this.#random.below(60))
      const atLeast = this.#newest()
      const lsn = await follower.sync()
      this.history.acknowledged.push({ lsn, atLeast, atMost: this.#newest() })
    }
    // One that is lost, one that is not, and some more to choose from.
    while (this.#newest() < fewestCommits) await delay(10)
    await writer.kill()
    const seq = checkOracle(this.#path)
    const lsn = await follower.sync()
    await follower.kill()
    this.#salts = logSalts(this.#path)
    losePower(this.#path, damage, this.#random)
    return { lsn, seq }
  }

  async meanwhile(what: (typeof returns)[number]): Promise<void> {
    const [first, little, more, reset] = returns
    if (what === first) return
    await using writer = await this.#writer(what === reset ? 1 : 0)
    if (what === little) await delay(5)
    if (what === more) await delay(400)
    if (what === reset) await delay(200)
    await writer.kill()
  }

  async followAgain(): Promise<{ readonly lsn: number; readonly seq: number; readonly isSameLog: boolean }> {
    // A log of which no commit is left is begun afresh.
    const isSameLog = logSalts(this.#path) === this.#salts
    await using follower = await this.#follower()
    await using writer = await this.#writer(0)
    await delay(this.#random.below(100))
    await follower.sync()
    await writer.kill()
    // While somebody has the log open: else SQLite recovers it, and finds what the writer wrote and did not come to commit.
    const seq = checkOracle(this.#path)
    const lsn = await follower.sync()
    await follower.stop()
    assert.equal(follower.failure, undefined)
    this.gaps = follower.events.flatMap((event) => {
      if (event.kind !== 'gap') return []
      const { fromLsn, toLsn, reason } = event
      return [{ fromLsn, toLsn, reason }]
    })
    const start = follower.events.find((event) => event.kind === 'started')
    assert.equal(start?.how, 'healed')
    return { lsn, seq, isSameLog }
  }

  /** While others write; a check of all rows would see several commits. */
  #newest(): number {
    using database = new DatabaseSync(this.#path, { readOnly: true, timeout: 10_000 })
    return readOracle(database).seq
  }

  async #follower(): Promise<FollowProcess> {
    const follower = new FollowProcess(compiled.path)
    follower.follow({
      path: this.#path,
      repository: this.#folder.file('repository'),
      stateFolder: this.#folder.file('state'),
      // A hand-off would have the log synced.
      pace: { syncIntervalMs: 20, handOff: { logBytes: 2 ** 40, ageMs: 2 ** 40 } },
    })
    await follower.started
    return follower
  }

  async #writer(autoCheckpoint: number): Promise<WriterProcess> {
    const options = { path: this.#path, rows: 80, maintenancePercent: 0, synchronous: 'normal', pauseMs: 1 } as const
    return await WriterProcess.start({ ...options, autoCheckpoint, seed: this.#random.below(2 ** 32) })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#repository[Symbol.asyncDispose]()
    this.#folder[Symbol.dispose]()
  }
}
