import assert from 'node:assert/strict'
import { mkdirSync, renameSync, rmSync } from 'node:fs'
import { it } from 'node:test'
import { makeDatabase } from '../cli/support/database.ts'
import { agentPlace, RunningAgent } from './support/running-agent.ts'

it('a folder that is deleted between two looks is told of once, whatever is due for its databases and whoever follows them', async () => {
  using place = await agentPlace()
  const { repository, file } = place
  for (const folder of ['plain', 'followed']) {
    mkdirSync(file(folder))
    for (const name of ['acme', 'bolt', 'coop']) makeDatabase(file(`${folder}/${folder}-${name}.db`))
  }
  const schedules = [{ id: 'often', type: 'incremental', every: '1m' }]
  const databases = [
    { glob: file('plain/*.db'), follow: false, schedules, verify: false },
    { glob: file('followed/*.db'), follow: { syncInterval: '100ms' }, schedules, verify: false },
  ]
  await using running = await RunningAgent.start(file('home'), { repository, databases })
  const { clock, lines } = running
  const backups = (name: string): number =>
    lines.filter((line) => new RegExp(`backup .* of ${name}-\\w+: done`).test(line)).length
  await running.until(
    'all have backups',
    () => backups('plain') >= 3 && backups('followed') >= 3,
    () => clock.leap(61_000),
  )
  const before = lines.length
  const alerts = (): string[] =>
    lines
      .slice(before)
      .flatMap((line) => (/ (warn|error) .*alert="/.test(line) ? (/alert="(\w+)"/.exec(line)?.[1] ?? '') : []))
  renameSync(file('plain'), file('gone'))
  rmSync(file('followed'), { recursive: true })
  // What is due fails before the agent looks.
  await running.until(
    'something was tried in vain',
    () => lines.slice(before).some((line) => /backup .*: (interrupted|failed)/.test(line)),
    () => clock.leap(500),
  )
  await running.until(
    'both are missing',
    () => running.problems.filter(({ key }) => key.startsWith('missing/')).length === 2,
    () => clock.leap(5_000),
  )
  for (let step = 0; step < 10; step += 1)
    await running.until(
      'time passes',
      () => true,
      () => clock.leap(20_000),
    )
  assert.deepEqual(
    alerts().filter((kind) => kind !== 'overdue'),
    ['missing', 'missing'],
  )
})
