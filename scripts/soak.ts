/**
 * Follows a database at full speed while follower and writers are killed, for as long as you like, and prints a verdict.
 *
 *     npm run soak                              ten minutes
 *     npm run soak -- --minutes 600 --seed 7    a night, with a given run's choices
 *
 * It fails as soon as a promise was broken, and says which.
 */
import { parseArgs } from 'node:util'
import { tortureFollower } from '../test/scenarios/support/follow-torture.ts'
import { testSeed } from '../test/support/random.ts'
import { requirePart } from '../test/support/real-part.ts'

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, seed: { type: 'string' } },
})
const seconds = Number(values.minutes) * 60
const seed = values.seed === undefined ? testSeed() : Number(values.seed)
if (!(seconds > 0) || !Number.isSafeInteger(seed)) {
  console.error('Usage: npm run soak -- [--minutes <number>] [--seed <whole number>]')
  process.exit(2)
}

const part = requirePart('sqlite3')
const sqlite3 = part.skip === false ? part.path : undefined
console.log(`Seed ${seed}, ${values.minutes} min${part.skip === false ? '' : `; ${part.skip}`}`)
try {
  const tally = await tortureFollower({ seconds, seed, sqlite3, onRound: (line) => console.log(line) })
  const { gaps, ...counts } = tally
  console.log('')
  for (const [name, count] of Object.entries(counts)) console.log(`${name.padEnd(16)} ${count}`)
  for (const [reason, count] of gaps) console.log(`${'gaps'.padEnd(16)} ${count}: ${reason}`)
  console.log('PASS')
} catch (error) {
  console.error(error)
  console.log(`FAIL: a promise was broken; --seed ${seed} repeats the choices of this run.`)
  process.exitCode = 1
}
