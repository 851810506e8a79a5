/**
 * Random lives of small live databases: backups, following, expiry, compaction, pins, deletions and deaths in the midst of any of it,
 * while days pass. No restore point that is kept may ever change or vanish.
 */
import { seededRandom } from '../../support/random.ts'
import { UpkeepLife } from './upkeep-life.ts'

export interface UpkeepStormOptions {
  readonly seed: number
  /** Ends when it is reached, after the life under way. */
  readonly seconds: number
  /** Told of each database that has had its life. */
  readonly onDatabase?: ((line: string) => void) | undefined
}

export interface UpkeepTally {
  databases: number
  steps: number
  follows: number
  backups: number
  expiries: number
  /** Backups that expiry let go. */
  dropped: number
  compactions: number
  pins: number
  deletions: number
  /** Segments that upkeep made, and deleted. */
  merged: number
  deleted: number
  deaths: number
  readonly diedIn: Map<string, number>
  /** Objects damaged on purpose, and upkeep that refused because of it. */
  damages: number
  refusals: number
  /** States that could ever be restored; of these, those that were kept at the end; and what was restored and compared. */
  states: number
  kept: number
  restores: number
}

const stepsOfLife = 50

/** @throws AssertionError that says which promise was broken */
export async function upkeepStorm({ seed, seconds, onDatabase }: UpkeepStormOptions): Promise<UpkeepTally> {
  const tally: UpkeepTally = {
    databases: 0,
    steps: 0,
    follows: 0,
    backups: 0,
    expiries: 0,
    dropped: 0,
    compactions: 0,
    pins: 0,
    deletions: 0,
    merged: 0,
    deleted: 0,
    deaths: 0,
    diedIn: new Map(),
    damages: 0,
    refusals: 0,
    states: 0,
    kept: 0,
    restores: 0,
  }
  const until = Date.now() + seconds * 1000
  const random = seededRandom(seed)
  do {
    await using life = await UpkeepLife.begin(random, tally)
    try {
      for (let step = 0; step < stepsOfLife && Date.now() < until; step += 1) await life.step()
      await life.endInOrder()
    } catch (cause) {
      throw new Error(`A promise was broken. What went before:\n${life.trace}`, { cause })
    }
    tally.databases += 1
    onDatabase?.(`${tally.databases} databases, ${tally.steps} steps, ${tally.deaths} deaths`)
  } while (Date.now() < until)
  return tally
}
