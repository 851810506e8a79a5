import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { it } from 'node:test'
import { makeDatabase } from '../../cli/support/database.ts'
import { agentPlace, RunningAgent } from '../support/running-agent.ts'
import { AlertInbox } from './support/alert-inbox.ts'

const key = 'failure/config'

it('an agent goes on with the configuration that it has when a new one has a mistake, tells that, and that it was put right', async () => {
  using place = await agentPlace()
  await using inbox = await AlertInbox.open()
  const { repository, file } = place
  makeDatabase(file('app.db'))
  const databases = [
    { path: file('app.db'), follow: false, schedules: [{ type: 'full', every: '30d' }], verify: false },
  ]
  await using running = await RunningAgent.start(file('home'), { repository, databases, notify: [inbox.channel] })
  const { agent } = running
  const path = file('home/holdfast.yaml')
  const good = readFileSync(path, 'utf8')

  writeFileSync(path, good.replace('follow:', 'folow:'))
  await assert.rejects(agent.reload(), { code: 'CONFIG_INVALID' })
  await running.until('it is told', () => inbox.has('firing', key))
  const { summary, hint } = inbox.last(key) ?? assert.fail()
  assert.match(summary, /^The configuration could not be read anew, so the present one stays in force\. .*folow/s)
  assert.match(hint ?? '', /holdfast config check/)
  assert.equal(agent.status().databases.length, 1)

  writeFileSync(path, good)
  await agent.reload()
  await running.until('it is told that it is over', () => inbox.has('recovered', key))
  inbox.proves('the configuration is broken', key)
  assert.deepEqual(inbox.about(key), ['firing warning', 'recovered warning'])
})
