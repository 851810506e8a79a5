import assert from 'node:assert/strict'
import { mkdirSync, statSync } from 'node:fs'
import { it } from 'node:test'
import { makeDatabase } from '../../cli/support/database.ts'
import { agentPlace, RunningAgent } from '../support/running-agent.ts'
import { AlertInbox } from './support/alert-inbox.ts'

const minute = 60_000
const gibibyte = 1024 ** 3

it('an agent tells that the disk that holds everything is nearly full, once, and that there is room again', async () => {
  using place = await agentPlace()
  await using inbox = await AlertInbox.open()
  const { repository, file } = place
  mkdirSync(file('data'))
  makeDatabase(file('data/app.db'))
  let freeBytes = 50 * gibibyte
  const measured: string[] = []
  const measure = async (path: string) => {
    assert.ok(statSync(path).isDirectory())
    measured.push(path)
    return { freeBytes, totalBytes: 100 * gibibyte }
  }
  const databases = [
    { path: file('data/app.db'), follow: false, schedules: [{ type: 'full', every: 'monthly' }], verify: false },
  ]
  const config = { repository, databases, notify: [inbox.channel] }
  await using running = await RunningAgent.start(file('home'), config, { measure })
  const key = `disk/${encodeURIComponent(file('home/state/agent'))}`
  const round = () => running.clock.leap(minute)
  await running.until('disks were looked at', () => measured.length > 1, round)
  assert.equal(inbox.all.length, 0)

  freeBytes = 4 * gibibyte
  await running.until('it is told', () => inbox.has('firing', key), round)
  assert.equal(
    inbox.last(key)?.summary,
    `The disk that holds the state folder, the repository and app is nearly full: 4 GiB of 100 GiB are free (${file('home/state/agent')}).`,
  )
  freeBytes = gibibyte / 2
  await running.until('it is told that it is worse', () => inbox.last(key)?.severity === 'critical', round)
  assert.equal(running.agent.health().status, 'failing')

  freeBytes = 50 * gibibyte
  await running.until('it is told that it is over', () => inbox.has('recovered', key), round)
  inbox.proves('a disk is full', key)
  assert.deepEqual(inbox.about(key), ['firing warning', 'firing critical', 'recovered critical'])
  assert.deepEqual(new Set(inbox.all.map((alert) => alert.key)), new Set([key]))
  assert.deepEqual(new Set(measured), new Set([file('home/state/agent')]), 'one disk is measured once')
})
