/**
 * Kills followers and writers of small databases several times a second, at moments drawn at random, most of them within a start
 * or an upload. Whatever was acknowledged, or could be restored at any time, must stay exactly as it was; and a follower that
 * comes back while the log is intact must go on without a gap.
 */
import { seededRandom } from '../../support/random.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { StormLane } from './storm-lane.ts'

export interface StormOptions {
  readonly seed: number
  /** Databases at a time; default 2. */
  readonly lanes?: number | undefined
  /** Ends when either is reached, after the round under way. */
  readonly seconds: number
  readonly kills: number
  /** Told of each database that has had its life. */
  readonly onDatabase?: ((line: string) => void) | undefined
}

export interface KillTally {
  databases: number
  followerKills: number
  /** Of these, those in which the writers died in the same moment. */
  killsOfBoth: number
  /** And those before it said that it followed. */
  killsAtStart: number
  writerKills: number
  stops: number
  readonly starts: Map<string, number>
  /** Starts at which, as seen from outside, nothing could be missing. */
  intactLogs: number
  /** Gaps of an absence that were noticed only after the start: the log was reset in that very moment. */
  resetsAtStart: number
  acknowledged: number
  commits: number
  /** States that were replayed from the stored records, and restored. */
  replayed: number
  restores: number
  readonly gaps: Map<string, number>
}

const roundsOfDatabase = 60
const roundsBetweenProofs = 20

/** @throws AssertionError that says which promise was broken */
export async function killStorm(options: StormOptions): Promise<KillTally> {
  const tally: KillTally = {
    databases: 0,
    followerKills: 0,
    killsOfBoth: 0,
    killsAtStart: 0,
    writerKills: 0,
    stops: 0,
    starts: new Map(),
    intactLogs: 0,
    resetsAtStart: 0,
    acknowledged: 0,
    commits: 0,
    replayed: 0,
    restores: 0,
    gaps: new Map(),
  }
  using compiled = temporaryFolder()
  const until = Date.now() + options.seconds * 1000
  let isOver = false
  const goesOn = () => !isOver && Date.now() < until && tally.followerKills + tally.writerKills < options.kills
  const lane = async (index: number): Promise<void> => {
    const random = seededRandom(options.seed + index)
    try {
      while (goesOn()) {
        await using database = await StormLane.begin(random, tally, compiled.path)
        for (let round = 1; round <= roundsOfDatabase && goesOn(); round += 1) {
          await database.round()
          if (round % roundsBetweenProofs === 0) await database.prove()
        }
        await database.endInOrder()
        tally.databases += 1
        options.onDatabase?.(`${tally.followerKills} followers and ${tally.writerKills} writers killed`)
      }
    } finally {
      isOver = true
    }
  }
  const ends = await Promise.allSettled(Array.from({ length: options.lanes ?? 2 }, (_, index) => lane(index)))
  for (const end of ends) if (end.status === 'rejected') throw end.reason
  return tally
}

/** For people: a figure a line. */
export function tallyLines(tally: object): string[] {
  return Object.entries(tally).flatMap(([name, value]) =>
    value instanceof Map
      ? [...value].map(([what, count]) => `${name.padEnd(16)} ${count}: ${what}`)
      : [`${name.padEnd(16)} ${value}`],
  )
}
