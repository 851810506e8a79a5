/**
 * Whatever an application does while nobody follows: who goes on without a gap has every commit. They are counted, because commits
 * that undo one another cannot be told by what the database holds afterwards.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { frameOffset } from '../../../src/source/sqlite/log/page-map.ts'
import { sqlite } from '../../../src/source/sqlite/sqlite-source.ts'
import { type Random, seededRandom, testSeed } from '../../support/random.ts'
import { SqlProcess } from '../../support/sql-process.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { drainAll, FollowedCopy, type Kept, keep } from './followed-copy.ts'
import { changeAll, changeOne, copyAll, prepare, rollBack, toggle } from './followed-once.ts'

/** An application whose commits are counted. */
class Counted implements AsyncDisposable {
  commits = 0
  readonly #path: string
  readonly #random: Random
  readonly #processes: SqlProcess[] = []

  constructor(path: string, random: Random) {
    this.#path = path
    this.#random = random
  }

  /** Of each of these statements, if it is one that commits. */
  async commit(...statements: readonly string[]): Promise<void> {
    await (await this.#connection()).query(...statements)
    this.commits += statements.length
  }

  async query(...statements: readonly string[]): Promise<void> {
    await (await this.#connection()).query(...statements)
  }

  /** Somebody else may be in the way of a checkpoint, of a VACUUM not. */
  async doAnything({ position }: Kept): Promise<void> {
    const random = this.#random
    const placeEnd = frameOffset(position.frame + 1, position.pageSize)
    switch (random.below(20)) {
      case 0:
        return await this.commit(changeOne)
      case 1:
        return await this.commit(changeAll, toggle[1])
      case 2:
      case 3:
      case 4:
      case 5:
      case 6:
        return await this.commit(...toggle)
      case 7:
        return await this.commit('VACUUM')
      case 8:
        return await this.query(...rollBack)
      case 9:
      case 10:
      case 11:
      case 12:
        return await this.query(copyAll)
      case 13:
        return await this.query(`PRAGMA wal_checkpoint(${random.pick(['FULL', 'RESTART', 'TRUNCATE'])})`)
      case 14:
      case 15:
      case 16:
        // Somewhere in the first frames beyond the follower's place.
        return await this.query(`PRAGMA journal_size_limit = ${placeEnd + random.below(20_000)}`)
      case 17:
        return await this.#killAll()
      case 18:
        return await this.query('BEGIN', changeAll).then(() => this.#killAll())
      default:
        await this.#processes.pop()?.close()
    }
  }

  /** Sometimes one that has not been there before. */
  async #connection(): Promise<SqlProcess> {
    const present = this.#processes.at(-1)
    if (present !== undefined && (this.#processes.length > 1 || !this.#random.chance(10))) return present
    const next = await SqlProcess.open(this.#path)
    this.#processes.push(next)
    await next.query('PRAGMA wal_autocheckpoint = 0')
    return next
  }

  async #killAll(): Promise<void> {
    await Promise.all(this.#processes.splice(0).map((each) => each.kill()))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#killAll()
  }
}

test('after any absence, a follower that goes on has every commit, also those that came to nothing', async (t) => {
  const seed = testSeed()
  t.diagnostic(`HOLDFAST_SEED=${seed}`)
  const random = seededRandom(seed)
  const tally = { resumed: 0, anew: 0, commits: 0 }
  for (let database = 0; database < 6; database += 1) {
    using folder = temporaryFolder()
    const path = folder.file('app.db')
    await using application = new Counted(path, random)
    await application.query(...prepare, copyAll)
    await application.commit(toggle[1])
    let copy: FollowedCopy | undefined
    let kept: { readonly at: Kept; readonly commits: number } | undefined
    for (let absence = 0; absence < 12; absence += 1) {
      await using follower = await sqlite(path).openFollower({ resume: kept?.at })
      if (follower.start.kind === 'resumed' && copy !== undefined && kept !== undefined) {
        tally.resumed += 1
        const before = copy.commits
        await drainAll(follower, copy)
        tally.commits += copy.commits - before
        assert.equal(copy.commits - before, application.commits - kept.commits, `absence ${absence} of ${database}`)
      } else {
        tally.anew += 1
        copy = await FollowedCopy.begin(follower)
      }
      if (random.chance(70)) await application.commit(changeAll, toggle[1])
      if (random.chance(50)) await application.commit(...toggle)
      await drainAll(follower, copy)
      assert.equal((await follower.audit(copy)).equal, true)
      if (random.chance(30)) await follower.handOff(copy)
      kept = { at: keep(follower, copy), commits: application.commits }
      await follower[Symbol.asyncDispose]()
      for (let deeds = random.below(8); deeds > 0; deeds -= 1) await application.doAnything(kept.at)
    }
  }
  t.diagnostic(JSON.stringify(tally))
  assert.ok(tally.commits > 0, 'at least sometimes it goes on')
})
