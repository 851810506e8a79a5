/**
 * Follows databases while followers and writers are killed, for as long as you like, and prints a verdict.
 *
 *     npm run soak                              ten minutes
 *     npm run soak -- --minutes 600 --seed 7    a night, with a given run's choices
 *     npm run soak -- --part kills              only one of: torture, kills, upkeep, agent, large
 *
 * `torture`: a database at full speed, beside checkpoints, replaced files and other readers. `kills`: small databases, killed several
 * times a second. `upkeep`: small databases under backups, expiry, compaction and deaths in any order, while days pass. `agent`: the
 * agent of the built program, killed at random. `large`: once, over the first GiB of a database. All others share the time.
 * It fails as soon as a promise was broken, and says which.
 */
import { parseArgs } from 'node:util'
import { agentStorm } from '../test/scenarios/support/agent-storm.ts'
import { tortureFollower } from '../test/scenarios/support/follow-torture.ts'
import { killStorm, tallyLines } from '../test/scenarios/support/kill-storm.ts'
import { followOverLockPage } from '../test/scenarios/support/large-database.ts'
import { upkeepStorm } from '../test/scenarios/support/upkeep-storm.ts'
import { testSeed } from '../test/support/random.ts'
import { requirePart } from '../test/support/real-part.ts'

const names = ['torture', 'kills', 'upkeep', 'agent', 'large'] as const

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, seed: { type: 'string' }, part: { type: 'string' } },
})
const seed = values.seed === undefined ? testSeed() : Number(values.seed)
const chosen = names.filter((name) => values.part === undefined || values.part === name)
const timed = chosen.filter((name) => name !== 'large').length
const seconds = (Number(values.minutes) * 60) / Math.max(1, timed)
if (!(seconds > 0) || !Number.isSafeInteger(seed) || chosen.length === 0) {
  console.error(`Usage: npm run soak -- [--minutes <number>] [--seed <whole number>] [--part ${names.join('|')}]`)
  process.exit(2)
}

const sqlite3 = requirePart('sqlite3')
const say = (line: string): void => console.log(line)
const parts: Readonly<Record<(typeof names)[number], () => Promise<object>>> = {
  torture: () =>
    tortureFollower({
      ...{ seconds, seed, sqlite3: sqlite3.skip === false ? sqlite3.path : undefined, onRound: say },
      moments: { byLsn: 500, byTime: 500 },
    }),
  kills: () => killStorm({ seconds, seed, kills: Number.POSITIVE_INFINITY, onDatabase: say }),
  upkeep: () => upkeepStorm({ seconds, seed, onDatabase: say }),
  agent: () => agentStorm({ seconds, seed, onRound: say }),
  large: () => followOverLockPage({ restoreAll: true }),
}

console.log(`Seed ${seed}, ${values.minutes} min${sqlite3.skip === false ? '' : `; ${sqlite3.skip}`}`)
try {
  for (const name of chosen) {
    console.log(`\n${name}`)
    const tally = await parts[name]()
    for (const line of tallyLines(tally)) console.log(line)
  }
  console.log('PASS')
} catch (error) {
  console.error(error)
  console.log(`FAIL: a promise was broken; --seed ${seed} repeats the choices of this run.`)
  process.exitCode = 1
}
