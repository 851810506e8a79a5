/** A process that records operations as fast as it can: path, how many, and `die` to end in the middle of one. */
import { Journal } from '../../../../src/agent/journal/journal.ts'
import { actor, start } from './journals.ts'

const [path = '', count = '1', last] = process.argv.slice(2)
const journal = new Journal({
  path,
  actor,
  onWarning: (message) => {
    throw new Error(message)
  },
})
for (let i = 0; i < Number(count); i += 1) {
  const operation = await journal.begin({ ...start, database: `${process.pid}` })
  await operation.end({ outcome: 'succeeded', figures: { i } })
}
if (last === 'die') {
  await journal.begin(start)
  process.kill(process.pid, 'SIGKILL')
}
