import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { AgentProgram, writeConfig } from './support/agent.ts'
import { cliOk, scratchFolder } from './support/cli.ts'
import { change, count, makeDatabase } from './support/database.ts'
import { FollowerProgram } from './support/follower.ts'
import { cliJson } from './support/json-lines.ts'

/** `holdfast follow` of a database, and a configuration of an agent that has schedules for it. */
async function besideFollower(context: TestContext, database: object) {
  const cwd = await scratchFolder(context)
  const path = join(cwd, 'app.db')
  makeDatabase(path)
  await cliOk(['init'], { cwd })
  const follower = new FollowerProgram(context, cwd, ['app.db', '--state', 'followed'])
  await follower.event('started')
  writeConfig(cwd, { databases: [{ path: 'app.db', verify: false, ...database }] })
  const options = { cwd, env: { XDG_STATE_HOME: join(cwd, 'xdg') } }
  const run = async (id: string) => (await cliJson('schedule run', ['app', id], options)).last
  const restored = async (...state: string[]): Promise<number> => {
    const file = `${state.join('').replaceAll(/\W/g, '')}.db`
    await cliOk(['restore', 'app', ...state, '--to', file], options)
    return count(join(cwd, file), 'users')
  }
  return { cwd, path, follower, options, run, restored }
}

const isLoud = ({ level }: { level: string }) => level === 'error' || level === 'warn'
const unfollowed = {
  follow: false,
  schedules: [
    { id: 'often', type: 'incremental', every: '1s' },
    { id: 'whole', type: 'full', every: 'yearly' },
  ],
  retention: { last: 2 },
  compact: { every: 'yearly' },
}

describe('the agent beside a "holdfast follow" of the same database', () => {
  it('lets that make the backups that are due, and do the upkeep, and every commit stays a restore point', async (context) => {
    const { cwd, path, follower, options, run, restored } = await besideFollower(context, unfollowed)
    const agent = new AgentProgram(context, cwd)
    await agent.line(/^backup \(incremental\) of app: done/)
    change(path, "INSERT INTO users (name) VALUES ('in')")
    const whole = await run('whole')
    assert.deepEqual([whole.by, whole.outcome], ['agent', 'succeeded'])
    const users = count(path, 'users')
    change(path, 'DELETE FROM orders; DELETE FROM users')
    for (const id of ['expire-daily', 'compact-yearly']) assert.equal((await run(id)).outcome, 'succeeded', id)
    assert.equal(await agent.stop(), 0)
    assert.deepEqual(agent.lines.filter(isLoud), [])
    assert.ok(!agent.lines.some(({ message }) => /waits/.test(message)))
    const { result } = await follower.interrupt()
    assert.ok(result)
    assert.equal(await restored('--backup', whole.backupId ?? ''), users)
    assert.equal(await restored('--latest'), 0)
    const { last } = await cliJson('points', ['app'], options)
    assert.deepEqual(last.gaps, [])
    await cliOk(['verify', 'app', '--level', 'restore'], options)
  })

  it('that the agent is to follow, too: it waits with that, and backups are made all the same', async (context) => {
    const schedules = [{ id: 'whole', type: 'full', every: 'yearly' }]
    const { cwd, follower, run } = await besideFollower(context, { schedules })
    const agent = new AgentProgram(context, cwd)
    await agent.line(/^Following app failed, and will be tried again\. Another process works on app: follow by process/)
    const whole = await run('whole')
    assert.deepEqual([whole.by, whole.outcome], ['agent', 'succeeded'])
    await follower.interrupt()
    await agent.line(/^Following app: /)
    assert.equal((await run('whole')).outcome, 'succeeded')
    assert.equal(await agent.stop(), 0)
  })

  it('and "schedule run" without an agent, too', async (context) => {
    const { run } = await besideFollower(context, unfollowed)
    for (const id of ['whole', 'expire-daily']) {
      const { by, outcome } = await run(id)
      assert.deepEqual([by, outcome], ['command', 'succeeded'], id)
    }
  })
})
