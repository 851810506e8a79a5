/**
 * Restores states drawn at random, by number and by time, and compares each with what is known of it otherwise: with the stored
 * records, replayed one by one, and with what the writers noted from outside, by their own clock.
 */
import assert from 'node:assert/strict'
import { hasCode } from '../../../src/errors.ts'
import type { Pause } from '../../../src/history/pause.ts'
import { addHash, emptyState, formatState } from '../../../src/history/state-checksum.ts'
import { type GapRecord, restorableWindows } from '../../../src/history/windows.ts'
import type { Catalog } from '../../../src/repository/catalog.ts'
import type { DatabaseRepository } from '../../../src/repository/database-repository.ts'
import type { RestorePlan, RestoreTargetState } from '../../../src/restore/restore-options.ts'
import { pageHash } from '../../../src/util/page-hash.ts'
import { type CommitStamp, stampOf } from '../../support/commit-stamp.ts'
import { keyOf, type NotedCommit } from '../../support/noted-commits.ts'
import type { Random } from '../../support/random.ts'
import { restoreWithPlan } from './memory-restore.ts'
import { replayHistory } from './replay-history.ts'

/** When a follower was asked whether everything is kept, and when it answered; milliseconds since 1970. */
export interface Sync {
  readonly lsn: number
  readonly requestedAt: number
  readonly answeredAt: number
}

export interface OutsideTruth {
  readonly noted: readonly NotedCommit[]
  readonly syncs: readonly Sync[]
}

export interface RestoredMoments {
  readonly byLsn: number
  readonly byTime: number
  /** Moments of which no state is known, within a recorded gap or pause. */
  readonly refused: number
}

interface KnownState extends CommitStamp {
  readonly lsn: number
  readonly checksum: string
}

/** Of moments, most lie this soon after a commit: where a wrong one would be its neighbour. */
const soonMs = 40

export class MomentsProof {
  readonly #database: DatabaseRepository
  /** Recorded ones, and those that nobody recorded, of which the caller judges the reasons. */
  readonly #gaps: readonly GapRecord[]
  readonly #pauses: readonly Pause[]
  readonly #truth: OutsideTruth
  readonly #random: Random
  readonly #notes: ReadonlyMap<string, NotedCommit>
  /** Every state that can be restored, by LSN, ascending. */
  readonly #states: ReadonlyMap<number, KnownState>
  /** LSN of the first state of each commit: those of the engine's own, as VACUUM makes, come after it. */
  readonly #firstOf: ReadonlyMap<string, number>

  private constructor(
    database: DatabaseRepository,
    catalog: Catalog,
    states: readonly KnownState[],
    truth: OutsideTruth,
    random: Random,
  ) {
    this.#database = database
    this.#gaps = [...catalog.gaps, ...restorableWindows(catalog.segments, catalog.gaps).gaps]
    this.#pauses = catalog.pauses
    this.#truth = truth
    this.#random = random
    this.#notes = new Map(truth.noted.map((commit) => [keyOf(commit), commit]))
    this.#states = new Map(states.map((state) => [state.lsn, state]))
    this.#firstOf = new Map(states.toReversed().map((state) => [keyOf(state), state.lsn]))
  }

  /** Replays the whole history, which nobody may add to any more: one commit after the other, unless a gap lies between. */
  static async begin(database: DatabaseRepository, truth: OutsideTruth, random: Random): Promise<MomentsProof> {
    const catalog = await database.catalog()
    const states: KnownState[] = []
    for await (const { lsn, state, image } of replayHistory(database)) {
      states.push({ lsn, checksum: formatState(state), ...stampOf(image) })
    }
    const proof = new MomentsProof(database, catalog, states, truth, random)
    for (const [index, state] of states.entries()) proof.#checkSuccessor(states[index - 1], state)
    return proof
  }

  /** @throws AssertionError that says which promise was broken */
  async restore(count: { readonly byLsn: number; readonly byTime: number }): Promise<RestoredMoments> {
    const all = [...this.#states.values()]
    for (let n = 0; n < count.byLsn; n += 1) await this.#byLsn(this.#anyOf(all))
    const from = await this.#exactly({ by: 'lsn', lsn: all[0]?.lsn ?? 0 })
    const to = await this.#exactly({ by: 'latest' })
    const kept = this.#truth.noted.filter((commit) => this.#firstOf.has(keyOf(commit)))
    let refused = 0
    for (let byTime = 0; byTime < count.byTime; ) {
      const { begunAt, endedAt = begunAt } = this.#anyOf(kept)
      const [length, since] = [to.time - from.time + 1, endedAt - from.time + this.#random.below(soonMs)]
      // Beyond the newest state nothing is known.
      const isSoonAfter = since >= 0 && since < length && this.#random.chance(70)
      const time = from.time + (isSoonAfter ? since : this.#random.below(length))
      if (await this.#byTime(time)) byTime += 1
      else refused += 1
      assert.ok(refused < 20 * (byTime + 5), `${refused} moments were refused, and ${byTime} were not`)
    }
    return { ...count, refused }
  }

  #checkSuccessor(before: KnownState | undefined, { lsn, seq, mark }: KnownState): void {
    assert.ok(seq === 0 || this.#notes.has(keyOf({ seq, mark })), `nobody made the commit ${seq} that LSN ${lsn} is`)
    if (before === undefined || this.#isGapBetween(before.lsn, lsn)) return
    assert.equal(lsn, before.lsn + 1, 'nothing tells why a state is missing')
    const isSame = seq === before.seq && mark === before.mark
    assert.ok(isSame || seq === before.seq + 1, `LSN ${lsn} is commit ${seq}, and the one before is ${before.seq}`)
  }

  #isGapBetween(before: number, lsn: number): boolean {
    return this.#gaps.some(({ fromLsn, toLsn }) => fromLsn <= before && toLsn >= lsn)
  }

  async #byLsn({ lsn }: KnownState): Promise<void> {
    assert.equal((await this.#exactly({ by: 'lsn', lsn })).lsn, lsn)
  }

  /** False if that moment is refused, which only a gap or a pause gives a right to. */
  async #byTime(time: number): Promise<boolean> {
    const plan = await this.#exactly({ by: 'time', time }).catch((thrown: unknown) => {
      if (!hasCode(thrown, 'NOT_RESTORABLE')) throw thrown
    })
    if (plan === undefined) {
      const isUnknown = [...this.#gaps, ...this.#pauses].some(
        ({ fromTime, toTime }) => fromTime < time && time < toTime,
      )
      assert.ok(isUnknown, `${time} was refused, and lies within no gap or pause`)
      return false
    }
    assert.ok(plan.time <= time, `asked for ${time}, given ${plan.time}`)
    const next = this.#states.get(plan.lsn + 1)
    if (next !== undefined) {
      const after = await this.#exactly({ by: 'lsn', lsn: next.lsn })
      assert.ok(after.time > time, `asked for ${time}, given LSN ${plan.lsn}; the next is of ${after.time}`)
    }
    // What the writers knew of, and the follower had answered for, by that moment.
    const sync = this.#truth.syncs.findLast(({ answeredAt }) => answeredAt <= time)
    if (sync === undefined) return true
    assert.ok(plan.lsn >= sync.lsn, `asked for ${time}, given LSN ${plan.lsn}, after ${sync.lsn} was acknowledged`)
    for (const earlier of this.#truth.noted) {
      if (earlier.endedAt === undefined || earlier.endedAt > sync.requestedAt) continue
      const lsn = this.#firstOf.get(keyOf(earlier)) ?? 0
      assert.ok(lsn <= plan.lsn, `commit ${earlier.seq}, LSN ${lsn}, is not in LSN ${plan.lsn}, given for ${time}`)
    }
    return true
  }

  /** Byte for byte what the records say; and if writers made it, begun before it was seen. */
  async #exactly(state: RestoreTargetState): Promise<RestorePlan> {
    const { image, plan } = await restoreWithPlan(this.#database, state)
    const stamp = stampOf(image)
    assert.deepEqual(
      { lsn: plan.lsn, checksum: checksumOf(image, plan.pageSize), ...stamp },
      this.#states.get(plan.lsn),
    )
    const commit = this.#notes.get(keyOf(stamp))
    assert.ok(
      stamp.seq === 0 || (commit !== undefined && commit.begunAt <= plan.time),
      `LSN ${plan.lsn} was seen at ${plan.time}, and commit ${stamp.seq} began at ${commit?.begunAt}`,
    )
    return plan
  }

  #anyOf<T>(all: readonly T[]): T {
    return all[this.#random.below(all.length)] ?? assert.fail('there is nothing to choose from')
  }
}

function checksumOf(image: Buffer, pageSize: number): string {
  let state = emptyState
  for (let page = 1; page * pageSize <= image.length; page += 1) {
    state = addHash(state, pageHash(page, image.subarray((page - 1) * pageSize, page * pageSize)))
  }
  return formatState(state)
}
