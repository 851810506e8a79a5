import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { it } from 'node:test'
import { makeDatabase } from '../../cli/support/database.ts'
import { agentPlace, RunningAgent } from '../support/running-agent.ts'
import { AlertInbox } from './support/alert-inbox.ts'

const key = 'verify/app'
const hours = 6 * 3_600_000

it('an agent tells that a verification found damage, and that a later one finds the same object sound', async () => {
  await using stack = new AsyncDisposableStack()
  const { repository, file } = stack.use(await agentPlace())
  const inbox = stack.use(await AlertInbox.open())
  makeDatabase(file('app.db'))
  const schedules = [{ type: 'full', every: '30d' }]
  const databases = [{ path: file('app.db'), follow: false, schedules, verify: { every: '1d' } }]
  const config = { repository, databases, notify: [inbox.channel], repeatAlerts: '365d' }
  const running = stack.use(await RunningAgent.start(file('home'), config))
  const onward = () => running.agent.status().running.length === 0 && running.clock.leap(hours)
  const verified = () => running.lines.filter((line) => /verify .*: done/.test(line)).length
  await running.until('a verification finds all sound', () => verified() > 0, onward)

  const folder = file('backups/databases/app/segments')
  const [segment = assert.fail()] = readdirSync(folder)
  const sound = readFileSync(`${folder}/${segment}`)
  const damaged = Buffer.from(sound)
  damaged.writeUInt8(damaged.readUInt8(damaged.length >> 1) ^ 1, damaged.length >> 1)
  writeFileSync(`${folder}/${segment}`, damaged)
  await running.until('it is told', () => inbox.has('firing', key), onward)
  assert.equal(inbox.last(key)?.severity, 'critical')
  assert.match(inbox.last(key)?.summary ?? '', /^(The|A) verification (of app )?found damage/)
  assert.equal(running.agent.health().status, 'failing')

  writeFileSync(`${folder}/${segment}`, sound)
  await running.until('it is told that it is over', () => inbox.has('recovered', key), onward)
  inbox.proves('the repository is damaged', key)
  assert.deepEqual(new Set(inbox.all.map((alert) => alert.key)), new Set([key]))
})
