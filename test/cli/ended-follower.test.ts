import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { stopProcess } from '../agent/support/stop-process.ts'
import { childIds, nextChild } from '../support/child-ids.ts'
import { AgentProgram, writeConfig } from './support/agent.ts'
import { cliOk, scratchFolder } from './support/cli.ts'
import { makeDatabase } from './support/database.ts'
import { FollowerProgram } from './support/follower.ts'
import { cliJson } from './support/json-lines.ts'

const schedules = [{ id: 'whole', type: 'full', every: 'yearly' }]

async function scene(context: TestContext) {
  const cwd = await scratchFolder(context)
  makeDatabase(join(cwd, 'app.db'))
  await cliOk(['init'], { cwd })
  const options = { cwd, env: { XDG_STATE_HOME: join(cwd, 'xdg') } }
  return {
    cwd,
    configure: (database: object) =>
      writeConfig(cwd, { databases: [{ path: 'app.db', verify: false, schedules, ...database }] }),
    full: async () => (await cliJson('schedule run', ['app', 'whole'], options)).last,
  }
}

/** Halts what looks at the database for the next backup that a process makes. */
async function haltBackup(follower: number, begin: () => Promise<unknown>): Promise<number> {
  const known = childIds(follower)
  begin().catch(() => {})
  const examiner = await nextChild(follower, known)
  await stopProcess(examiner)
  return examiner
}

describe('a scheduled full backup whose follower ends in order while it runs', () => {
  it('is made by the agent itself, when that was another process', async (context) => {
    const { cwd, configure, full } = await scene(context)
    const follower = new FollowerProgram(context, cwd, ['app.db', '--state', 'followed'])
    await follower.event('started')
    configure({ follow: false })
    const agent = new AgentProgram(context, cwd)
    await agent.line(/^backup \(full\) of app: done/)
    let made: ReturnType<typeof full> | undefined
    const examiner = await haltBackup(follower.pid, () => {
      made = full()
      return made
    })
    const ended = follower.interrupt('SIGTERM')
    await follower.event('stopped')
    process.kill(examiner, 'SIGCONT')
    await agent.line(/^backup \(full\) of app: waits\. .* It was asked, and ended before this was done\./)
    await ended
    assert.equal((await made)?.outcome, 'succeeded')
    assert.equal(await agent.stop(), 0)
  })

  it('is made by the next one, when the agent follows and its configuration was changed', async (context) => {
    const { cwd, configure, full } = await scene(context)
    configure({ follow: { syncInterval: '1s' } })
    const agent = new AgentProgram(context, cwd)
    await agent.line(/^Following app: /)
    const [worker = assert.fail()] = childIds(agent.pid)
    let made: ReturnType<typeof full> | undefined
    const examiner = await haltBackup(worker, () => {
      made = full()
      return made
    })
    const before = agent.lines.length
    configure({ follow: { syncInterval: '2s' } })
    agent.signal('SIGHUP')
    await agent.line(/^Following app: /, before)
    process.kill(examiner, 'SIGCONT')
    await agent.line(/^backup \(full\) of app: waits\. Following app was ended before this was done\./, before)
    assert.equal((await made)?.outcome, 'succeeded')
    assert.equal(await agent.stop(), 0)
  })
})
