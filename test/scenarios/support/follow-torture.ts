/**
 * A follower and the writers of its database, killed at random moments over and over, while the database is checkpointed, replaced
 * and read by others. Whatever happens: what was acknowledged stays, what is restored was committed, and a gap says why.
 */

import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import { gapReasons } from '../../../src/capture/gap-reasons.ts'
import { Repository } from '../../../src/repository/repository.ts'
import { openStorage } from '../../../src/storage/open-storage.ts'
import { readNotedCommits } from '../../support/noted-commits.ts'
import { checkOracle } from '../../support/oracle.ts'
import { type Random, seededRandom } from '../../support/random.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { FollowProcess } from './follow-process.ts'
import { FollowedApplication } from './followed-application.ts'
import { FollowedHistory, leftovers } from './followed-history.ts'
import { isResetAtStart } from './reset-at-start.ts'
import { MomentsProof, type RestoredMoments, type Sync } from './restored-moments.ts'

export interface TortureOptions {
  readonly seconds: number
  readonly seed: number
  /** Path of the sqlite3 shell: its `.backup`, and processes that hold long readers, work beside the follower. */
  readonly sqlite3?: string | undefined
  /** Told of each round. */
  readonly onRound?: ((line: string) => void) | undefined
  /** States to restore at the end. */
  readonly moments: { readonly byLsn: number; readonly byTime: number }
}

export interface TortureTally extends RestoredMoments {
  readonly rounds: number
  readonly followerKills: number
  readonly writerKills: number
  readonly replacements: number
  readonly commits: number
  readonly acknowledged: number
  /** States that were restored into files, and proved by their contents, while all that went on. */
  readonly restores: number
  /** Backups that SQLite itself finished meanwhile. */
  readonly copies: number
  readonly gaps: ReadonlyMap<string, number>
}

/** Restoring takes as long as several rounds do. */
const roundsBetweenSamples = 3
const roundsBetweenVerifications = 9
const fewestRounds = 4

/** @throws AssertionError that says which promise was broken */
export async function tortureFollower(options: TortureOptions): Promise<TortureTally> {
  await using torture = await Torture.begin(options)
  const until = Date.now() + options.seconds * 1000
  let rounds = 0
  for (; Date.now() < until || rounds < fewestRounds; rounds += 1) {
    const what = await torture.round()
    await torture.history.check()
    if (rounds % roundsBetweenSamples === 0) await torture.history.restoreSome()
    if (rounds % roundsBetweenVerifications === roundsBetweenVerifications - 1) await torture.history.verify()
    options.onRound?.(`round ${rounds + 1}: ${what}`)
  }
  await torture.endInOrder()
  const moments = await torture.restoreMoments()
  const { application, history, followerKills } = torture
  const { writerKills, replacements, commits, copies } = application
  const gaps = await history.gapsByReason()
  const { restores, acknowledged } = history
  const tally = { rounds, followerKills, writerKills, replacements, commits, restores, copies, gaps }
  return { ...tally, ...moments, acknowledged: acknowledged.length }
}

class Torture implements AsyncDisposable {
  readonly #folder: ReturnType<typeof temporaryFolder>
  readonly #options: TortureOptions
  readonly #random: Random
  readonly #repository: Repository
  readonly application: FollowedApplication
  readonly history: FollowedHistory
  readonly #syncs: Sync[] = []
  #follower: FollowProcess | undefined
  #replacementsAtStart = 0
  followerKills = 0

  private constructor(folder: ReturnType<typeof temporaryFolder>, repository: Repository, options: TortureOptions) {
    this.#folder = folder
    this.#options = options
    this.#random = seededRandom(options.seed)
    this.#repository = repository
    this.application = new FollowedApplication(folder.file('app.db'), folder.file('notes'), this.#random)
    this.history = new FollowedHistory(repository, folder.file('restored.db'), this.#random)
  }

  static async begin(options: TortureOptions): Promise<Torture> {
    const folder = temporaryFolder()
    const repository = await Repository.init(await openStorage(folder.file('repository')))
    return new Torture(folder, repository, options)
  }

  /** A follower's life and its end, and what happens until the next one's. */
  async round(): Promise<string> {
    const random = this.#random
    await this.application.startWriters()
    const told: string[] = []
    this.#startFollower()
    if (random.chance(25)) await delay(random.below(1_500))
    else await this.#live(told)
    told.push(await this.#end())
    if (random.chance(30)) {
      this.application.checkpoint()
      told.push('checkpointed while down')
    }
    if (random.chance(12)) told.push(await this.#replace())
    if (random.chance(30)) await delay(random.below(500))
    return told.join(', ')
  }

  /** With nobody writing, stopping and starting in order loses nothing and leaves nothing behind. */
  async endInOrder(): Promise<void> {
    await this.application.endReaders()
    await this.application.startWriters()
    await this.#livingFollower()
    await this.application.stopWriters()
    const { lsn, atLeast } = await this.#sync()
    await this.#stopFollower()
    await this.#livingFollower()
    const again = await this.#sync()
    assert.equal(again.lsn, lsn, 'nothing was committed between the two syncs')
    const starts = this.#follower?.events.flatMap((event) => (event.kind === 'started' ? event.how : []))
    assert.ok(
      starts?.every((how) => how === 'resumed' || how === 'unchanged'),
      `the follower was ${starts?.join()}`,
    )
    await this.#stopFollower()
    assert.equal(checkOracle(this.application.path), atLeast, 'the live database is unharmed')
    assert.equal((await this.history.restore({ by: 'latest' })).seq, atLeast)
    await this.history.check()
    await this.history.restoreSome()
    await this.history.verify()
    assert.deepEqual(leftovers(this.#folder.path), [])
  }

  /** @see MomentsProof */
  async restoreMoments(): Promise<RestoredMoments> {
    const truth = { noted: readNotedCommits(this.#folder.file('notes')), syncs: this.#syncs }
    const proof = await MomentsProof.begin(this.#repository.database('app'), truth, this.#random)
    return await proof.restore(this.#options.moments)
  }

  async #live(told: string[]): Promise<void> {
    const random = this.#random
    await this.#livingFollower()
    for (let n = 1 + random.below(4); n > 0; n -= 1) {
      await delay(random.below(400))
      await this.#sync()
      if (random.chance(10)) told.push(await this.#replace())
      if (random.chance(15)) await this.#replaceWriters()
      if (this.#options.sqlite3 !== undefined) await this.#others(this.#options.sqlite3)
    }
    // Its end may come in the midst of one.
    if (random.chance(50)) void this.#follower?.sync()
    await delay(random.below(300))
  }

  async #end(): Promise<string> {
    const random = this.#random
    const way = random.pick(['follower', 'follower', 'follower', 'both', 'writers first', 'in order'])
    if (way === 'in order') {
      await this.#livingFollower()
      await this.#stopFollower()
      return 'stopped in order'
    }
    if (way === 'both') await Promise.all([this.#killFollower(), this.application.killWriters()])
    if (way === 'writers first') await this.application.killWriters()
    await this.#killFollower()
    return `killed: ${way}`
  }

  async #others(sqlite3: string): Promise<void> {
    const random = this.#random
    if (random.chance(40)) await this.application.holdReader()
    if (random.chance(25)) await this.application.endReaders()
    if (random.chance(40)) await this.application.copyWith(sqlite3, this.#folder.file('copy.db'))
  }

  async #replaceWriters(): Promise<void> {
    await this.application.killWriters()
    await this.application.startWriters()
  }

  async #replace(): Promise<string> {
    const { acknowledged } = this.history
    const older = acknowledged[this.#random.below(acknowledged.length)]
    const isOlder = older !== undefined && this.#random.chance(60)
    if (isOlder) await this.history.restore({ by: 'lsn', lsn: older.lsn })
    await this.application.replaceBy(isOlder ? this.#folder.file('restored.db') : undefined)
    await this.application.startWriters()
    return isOlder ? 'replaced by an older state' : 'replaced by a new database'
  }

  async #sync(): Promise<{ readonly lsn: number; readonly atLeast: number }> {
    const atLeast = this.application.newestCommit()
    const follower = this.#follower ?? assert.fail('no follower')
    const requestedAt = Date.now()
    const lsn = await follower.sync()
    this.#syncs.push({ lsn, requestedAt, answeredAt: Date.now() })
    const atMost = this.application.newestCommit()
    this.history.acknowledged.push({ lsn, atLeast, atMost })
    return { lsn, atLeast }
  }

  #startFollower(): void {
    const task = {
      path: this.application.path,
      repository: this.#folder.file('repository'),
      stateFolder: this.#folder.file('state'),
    }
    this.#replacementsAtStart = this.application.replacements
    if (this.#follower !== undefined) return
    this.#follower = new FollowProcess(this.#folder.file('compiled'))
    this.#follower.follow(task)
  }

  /** Under this load, taking the first look at a database may fail as busy; that is said and can be tried again. */
  async #livingFollower(): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      this.#startFollower()
      try {
        return await this.#follower?.started
      } catch (thrown) {
        const isBusy = this.#follower?.failure?.code === 'DATABASE_BUSY'
        this.#follower = undefined
        if (!isBusy || tries === 3) throw thrown
      }
    }
  }

  async #killFollower(): Promise<void> {
    if (this.#follower === undefined) return
    if (this.#follower.isRunning) this.followerKills += 1
    await this.#follower.kill()
    this.#judgeLife()
  }

  async #stopFollower(): Promise<void> {
    await this.#follower?.stop()
    const left = this.#follower?.events.findLast((event) => event.kind === 'stopped')?.left
    assert.deepEqual(left, { segments: 0, bytes: 0 })
    this.#judgeLife()
  }

  /** While it ran, it lost nothing, unless the file was replaced under it. */
  #judgeLife(): void {
    const { events, failure } = this.#follower ?? assert.fail('no follower')
    this.#follower = undefined
    if (failure !== undefined && failure.code !== 'DATABASE_BUSY') assert.fail(failure.message)
    const began = events.findIndex(({ kind }) => kind === 'started')
    const start = events[began]
    const gaps = start?.kind !== 'started' ? [] : events.slice(began).filter((event) => event.kind === 'gap')
    // A replacement right before a start may be noticed, and healed, only once it runs.
    const isReplaced = (reason: string) => reason === gapReasons['file-replaced'] && this.application.replacements > 0
    const unexplained = gaps.filter(
      (gap) => !isReplaced(gap.reason) && !(start?.kind === 'started' && isResetAtStart(gap, start)),
    )
    if (this.application.replacements === this.#replacementsAtStart)
      assert.deepEqual(unexplained, [], 'continuity was lost while it ran')
    assert.deepEqual(
      events.filter(({ kind }) => kind === 'spool-full'),
      [],
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#follower?.kill()
    await this.application[Symbol.asyncDispose]()
    await this.#repository[Symbol.asyncDispose]()
    this.#folder[Symbol.dispose]()
  }
}
