/** A process that restores and may kill itself at a step. Arguments: one JSON {@link ChildTask}. */
import { openTarget } from '../../../src/source/sqlite/target/open-target.ts'
import { wantedFrom, writeWanted } from './fixtures.ts'

export interface ChildTask {
  readonly source: string
  readonly target: string
  readonly delta: boolean
  /** Kill ourselves as the n-th step begins, from 0; undefined: never. */
  readonly killAt?: number | undefined
}

const task: ChildTask = JSON.parse(process.argv[2] ?? '{}')
const wanted = wantedFrom(task.source)
let steps = 0
process.send?.('started')
await using target = await openTarget(task.target, {
  ...wanted,
  force: true,
  delta: task.delta,
  heldBytes: 64 * 1024,
  onStep: () => {
    if (steps === task.killAt) process.kill(process.pid, 'SIGKILL')
    steps += 1
  },
})
await writeWanted(target, wanted)
await target.prove({ state: wanted.state, level: 'none', rowCounts: false })
await target.commit()
process.disconnect?.()
