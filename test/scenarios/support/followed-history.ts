import assert from 'node:assert/strict'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type GapReason, gapReasons } from '../../../src/capture/gap-reasons.ts'
import { hasCode } from '../../../src/errors.ts'
import { toLsn } from '../../../src/history/lsn.ts'
import { isReachable, reachableLsns } from '../../../src/history/reachable.ts'
import { restorableWindows, type Window } from '../../../src/history/windows.ts'
import type { Repository } from '../../../src/repository/repository.ts'
import { restoreDatabase } from '../../../src/restore/restore-database.ts'
import type { RestoreTargetState } from '../../../src/restore/restore-options.ts'
import { verifyRepository } from '../../../src/verify/verify-repository.ts'
import { checkOracle } from '../../support/oracle.ts'
import type { Random } from '../../support/random.ts'

/** What a sync promised: the state, and between which commits of the oracle it must be. */
export interface Acknowledged {
  readonly lsn: number
  readonly atLeast: number
  readonly atMost: number
}

/** What kills, resets in downtime and replaced files may lead to. No other loss is the protocol's. */
const admitted: readonly GapReason[] = [
  'first-state',
  'not-running',
  'log-reset',
  'file-replaced',
  'page-size-changed',
  'number-taken',
]

/** What was promised of a history, and the checks that it was kept. */
export class FollowedHistory {
  readonly #repository: Repository
  readonly #target: string
  readonly #random: Random
  readonly #alsoAdmitted: readonly string[]
  readonly acknowledged: Acknowledged[] = []
  restores = 0

  /** @param alsoAdmitted reasons of other losses that may happen here */
  constructor(repository: Repository, target: string, random: Random, alsoAdmitted: readonly string[] = []) {
    this.#alsoAdmitted = alsoAdmitted
    this.#repository = repository
    this.#target = target
    this.#random = random
  }

  get #database() {
    return this.#repository.database('app')
  }

  /** Restores a state, proves it to be exactly that of one commit, and returns that commit's number. */
  async restore(
    state: RestoreTargetState,
  ): Promise<{ readonly seq: number; readonly lsn: number; readonly time: number }> {
    const options = { state, targetPath: this.#target, force: true, validation: 'none' } as const
    const { plan } = await restoreDatabase(this.#database, options)
    this.restores += 1
    return { seq: checkOracle(this.#target), lsn: plan.lsn, time: plan.time }
  }

  /** By names alone: what was acknowledged can be restored, and whatever is missing has a reason that the protocol admits. */
  async check(): Promise<void> {
    const { segments, gaps, problems } = await this.#database.catalog()
    assert.deepEqual(problems, [])
    const reachable = reachableLsns(segments)
    for (const { lsn } of this.acknowledged)
      assert.ok(isReachable(reachable, toLsn(lsn)), `LSN ${lsn} was acknowledged and cannot be restored`)
    const reasons = [...admitted.map((reason) => gapReasons[reason]), ...this.#alsoAdmitted]
    const { gaps: between } = restorableWindows(segments, gaps)
    for (const { fromLsn, toLsn: to, reason } of [...gaps, ...between]) {
      const isAdmitted = reason.split('; ').every((part) => reasons.includes(part))
      assert.ok(isAdmitted, `a gap from ${fromLsn} to ${to}: ${reason}`)
    }
  }

  /** Restores the newest state that was acknowledged and a few others, by LSN and by time. */
  async restoreSome(): Promise<void> {
    const newest = this.acknowledged.at(-1)
    if (newest !== undefined) await this.#checkAcknowledged(newest)
    const older = this.acknowledged[this.#random.below(this.acknowledged.length)]
    if (older !== undefined && older !== newest) await this.#checkAcknowledged(older)
    const { segments, gaps } = await this.#database.catalog()
    const { windows } = restorableWindows(segments, gaps)
    const followed = windows.filter(({ kind }) => kind === 'continuous')
    const [first, second] = [this.#anyOf(followed), this.#anyOf(followed)]
    if (first !== undefined) await this.#checkNeighbours(first)
    if (second !== undefined) await this.#checkMoment(second)
  }

  async verify(): Promise<void> {
    const { findings } = await verifyRepository(this.#repository)
    assert.deepEqual(findings, [])
  }

  async gapCount(): Promise<number> {
    return (await this.#database.catalog()).gaps.length
  }

  async gapsByReason(): Promise<Map<string, number>> {
    const { gaps } = await this.#database.catalog()
    return new Map([...Map.groupBy(gaps, ({ reason }) => reason)].map(([reason, all]) => [reason, all.length]))
  }

  #anyOf(windows: readonly Window[]): Window | undefined {
    return windows[this.#random.below(windows.length)]
  }

  async #checkAcknowledged({ lsn, atLeast, atMost }: Acknowledged): Promise<void> {
    const { seq } = await this.restore({ by: 'lsn', lsn })
    assert.ok(seq >= atLeast && seq <= atMost, `LSN ${lsn} is commit ${seq}, and not between ${atLeast} and ${atMost}`)
  }

  /** A commit of the engine's own, as VACUUM makes, is none of the oracle's. */
  async #checkNeighbours({ fromLsn, toLsn: to }: Window): Promise<void> {
    const lsn = fromLsn + this.#random.below(to - fromLsn)
    const before = await this.restore({ by: 'lsn', lsn })
    const after = await this.restore({ by: 'lsn', lsn: lsn + 1 })
    const steps = after.seq - before.seq
    assert.ok(steps === 0 || steps === 1, `LSN ${lsn} is commit ${before.seq}, and the next is ${after.seq}`)
  }

  async #checkMoment({ fromTime, toTime, fromLsn, toLsn: to }: Window): Promise<void> {
    const time = fromTime + this.#random.below(toTime - fromTime + 1)
    const { pauses } = await this.#database.catalog()
    if (pauses.some((pause) => pause.fromTime < time && time < pause.toTime)) {
      await assert.rejects(this.restore({ by: 'time', time }), (error) => hasCode(error, 'NOT_RESTORABLE'))
      return
    }
    const restored = await this.restore({ by: 'time', time })
    assert.ok(restored.time <= time, `asked for ${time}, given ${restored.time}`)
    // A neighbour may begin in the very millisecond.
    const isInside = restored.lsn >= fromLsn && (restored.lsn <= to || time === toTime)
    assert.ok(isInside, `${time} lies between LSN ${fromLsn} and ${to}, given ${restored.lsn}`)
  }
}

/** Files that nobody needs any more, below a folder. */
export function leftovers(folder: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(
      (entry) => entry.isFile() && /[/\\](?:spool|set-aside)[/\\]|[/\\]\.tmp-/.test(join(entry.parentPath, entry.name)),
    )
    .map((entry) => join(entry.parentPath, entry.name))
}
