import assert from 'node:assert/strict'
import { it } from 'node:test'
import { makeDatabase } from '../../library/make-database.ts'
import { agentPlace, RunningAgent } from '../support/running-agent.ts'

it('an agent does as much at once as its configuration says', async () => {
  using place = await agentPlace()
  const names = ['a', 'b', 'c', 'd']
  for (const name of names) makeDatabase(place.file(`${name}.db`))
  // None goes on before three have begun.
  const begun = place.file('begun')
  const command = `mkdir -p '${begun}' && cd '${begun}' && touch "$HOLDFAST_DATABASE" && while test "$(ls | wc -l)" -lt 3; do sleep 0.05; done`
  const hooks = [{ before: 'backup', command, timeout: '45s' }]
  await using running = await RunningAgent.start(place.file('home'), {
    repository: place.repository,
    concurrency: { operations: 3, workers: 1 },
    databases: names.map((name) => ({ path: place.file(`${name}.db`), follow: false, verify: false, hooks })),
  })
  const isDone = (name: string) => running.lines.some((line) => line.includes(`backup (full) of ${name}: done`))
  await running.until('all are backed up', () => names.every(isDone))
  assert.deepEqual(running.problems, [])
})
