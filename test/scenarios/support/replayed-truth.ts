import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { restorableWindows } from '../../../src/history/windows.ts'
import type { DatabaseRepository } from '../../../src/repository/database-repository.ts'
import { stampOf } from '../../support/commit-stamp.ts'
import { checkOracle } from '../../support/oracle.ts'
import type { Random } from '../../support/random.ts'
import type { Acknowledged } from './followed-history.ts'
import { replayHistory } from './replay-history.ts'

/** Of so many states one is opened and proved by its contents. */
const provedOneIn = 40

/** Every state that could ever be restored, as it was at first. */
export class ReplayedTruth {
  readonly #database: DatabaseRepository
  readonly #target: string
  readonly #random: Random
  /** Checksum and commit number by LSN. */
  readonly #known = new Map<number, { readonly state: bigint; readonly seq: number }>()

  constructor(database: DatabaseRepository, target: string, random: Random) {
    this.#database = database
    this.#target = target
    this.#random = random
  }

  /**
   * What could be restored before still can, unchanged; each state is that of one commit, and the next that of the next, unless a
   * gap lies between; what was acknowledged is there.
   */
  async check(acknowledged: readonly Acknowledged[]): Promise<{ readonly states: number }> {
    const catalog = await this.#database.catalog()
    // Also those that nobody recorded, of which the caller judges the reasons.
    const gaps = [...catalog.gaps, ...restorableWindows(catalog.segments, catalog.gaps).gaps]
    const seqs = new Map<number, number>()
    let last = { lsn: 0, seq: 0 }
    for await (const { lsn, state, image } of replayHistory(this.#database)) {
      const { seq } = stampOf(image)
      const known = this.#known.get(lsn)
      if (known !== undefined) assert.deepEqual({ state, seq }, known, `LSN ${lsn} has changed`)
      this.#known.set(lsn, { state, seq })
      const { lsn: from } = last
      const isGap = from === 0 || gaps.some(({ fromLsn, toLsn }) => fromLsn <= from && toLsn >= lsn && toLsn > fromLsn)
      // A commit of the engine's own, as VACUUM makes, is none of the oracle's.
      const isNext = lsn === from + 1 && (seq === last.seq || seq === last.seq + 1)
      assert.ok(isGap ? seq >= last.seq : isNext, `LSN ${lsn} is commit ${seq}, and LSN ${from} was ${last.seq}`)
      if (this.#random.below(provedOneIn) === 0) this.#prove(image, seq)
      seqs.set(lsn, seq)
      last = { lsn, seq }
    }
    for (const lsn of this.#known.keys()) assert.ok(seqs.has(lsn), `LSN ${lsn} could be restored, and no longer can`)
    for (const { lsn, atLeast, atMost } of acknowledged) {
      const seq = seqs.get(lsn) ?? assert.fail(`LSN ${lsn} was acknowledged, and cannot be restored`)
      assert.ok(
        seq >= atLeast && seq <= atMost,
        `LSN ${lsn} is commit ${seq}, and not between ${atLeast} and ${atMost}`,
      )
    }
    return { states: seqs.size }
  }

  #prove(image: Buffer, seq: number): void {
    // Its header says that it uses a log, which the copy does not have; SQLite would make one.
    const copy = Buffer.from(image)
    copy.fill(1, 18, 20)
    writeFileSync(this.#target, copy)
    assert.equal(checkOracle(this.#target), seq)
  }
}
