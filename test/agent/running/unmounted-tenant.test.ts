import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { makeDatabase } from '../../cli/support/database.ts'
import { agentPlace, RunningAgent } from '../support/running-agent.ts'
import { AlertInbox } from './support/alert-inbox.ts'

const skip = existsSync('/dev/shm') ? false : 'needs a second file system'

it('a tenant whose file system is away is expected back, also after a restart, though only its own folder is gone', {
  skip,
}, async (context) => {
  using place = await agentPlace()
  await using inbox = await AlertInbox.open()
  const { repository, file } = place
  // Another file system than that of the tenants, which comes and goes by a link to it.
  const other = mkdtempSync('/dev/shm/holdfast-test-')
  context.after(() => rmSync(other, { recursive: true, force: true }))
  assert.notEqual(statSync(other).dev, statSync(place.path).dev)
  for (const name of ['a', 'b', 'c', 'd', 'e']) {
    if (name === 'c') {
      mkdirSync(join(other, 'c'))
      symlinkSync(join(other, 'c'), file('t/c'))
    } else mkdirSync(file(`t/${name}`), { recursive: true })
    makeDatabase(file(`t/${name}/app.db`))
  }
  const pattern = file('t/{a,b,c,d,e}/*.db')
  const schedules = [{ type: 'full', every: '30d' }]
  const databases = [{ glob: pattern, follow: false, schedules, verify: false }]
  const config = { repository, databases, notify: [inbox.channel] }
  const key = `missing/${encodeURIComponent(pattern)}`
  const gone = (running: RunningAgent) => running.agent.status().gone.map(({ name, expected }) => [name, expected])
  {
    await using first = await RunningAgent.start(file('home'), config)
    assert.equal(first.agent.status().databases.length, 5)
    renameSync(join(other, 'c'), join(other, 'away'))
    rmSync(file('t/d'), { recursive: true })
    await first.agent.reload()
    await first.until('it is told', () => inbox.has('firing', key))
    assert.match(inbox.last(key)?.summary ?? '', /\(c-app\): the file system that it lies on is not there\.$/)
    assert.deepEqual(gone(first), [
      ['c-app', true],
      ['d-app', false],
    ])
  }
  await using second = await RunningAgent.start(file('home'), config)
  assert.deepEqual(gone(second), [
    ['c-app', true],
    ['d-app', false],
  ])
  renameSync(join(other, 'away'), join(other, 'c'))
  await second.agent.reload()
  await second.until('it is over', () => inbox.has('recovered', key))
  assert.deepEqual(inbox.about(key), ['firing critical', 'recovered critical'])
})
