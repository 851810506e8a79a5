import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { AgentProgram, writeConfig } from './support/agent.ts'
import { cli, cliOk, scratchFolder } from './support/cli.ts'
import { makeDatabase } from './support/database.ts'
import { historyOf } from './support/journal.ts'
import { cliJson, cliJsonError } from './support/json-lines.ts'

/** A database of which nothing is due before long but drills, if so wanted. */
async function scene(context: TestContext, drill: object, drillEvery = 'yearly') {
  const cwd = await scratchFolder(context)
  const options = { cwd, env: { XDG_STATE_HOME: join(cwd, 'xdg') } }
  makeDatabase(join(cwd, 'app.db'))
  await cliOk(['init'], options)
  writeConfig(cwd, {
    databases: [
      {
        path: 'app.db',
        follow: false,
        schedules: [
          { id: 'whole', type: 'full', every: 'yearly' },
          { id: 'check', type: 'verify', every: 'yearly' },
          { id: 'trial', type: 'drill', every: drillEvery },
          { id: 'small', type: 'compact', every: 'yearly' },
        ],
        hooks: [
          { before: 'compact', command: 'exit 75' },
          { after: 'backup', command: 'exit 1' },
        ],
        drill,
      },
    ],
  })
  const run = async (schedule: string) => {
    const { last, ended } = await cliJson('schedule run', ['app', schedule], options)
    return { ...last, code: ended.code }
  }
  return {
    cwd,
    options,
    run,
    agent: async () => {
      const agent = new AgentProgram(context, cwd)
      await agent.line(/^The agent runs/)
      return agent
    },
    text: async (schedule: string) => await cli(['schedule', 'run', 'app', schedule], options),
    /** What `schedule list` says of the last run. */
    listed: async (schedule: string) => {
      const { last } = await cliJson('schedule list', [], options)
      return last.schedules.find(({ id }) => id === schedule)?.outcome
    },
    damage: (): void => {
      const folder = join(cwd, 'backups/databases/app/segments')
      for (const name of readdirSync(folder)) {
        const bytes = readFileSync(join(folder, name))
        bytes.writeUInt8(bytes.readUInt8(bytes.length >> 1) ^ 1, bytes.length >> 1)
        writeFileSync(join(folder, name), bytes)
      }
    },
  }
}

describe('schedule run, by a running agent', () => {
  it('says how it ended, in the same words and with the same exit status as without one', async (context) => {
    const { agent, damage, listed, options, run, text } = await scene(context, {
      assertions: ['SELECT count(*) = 0 FROM users'],
    })
    const untimed = (said: string) => said.replaceAll(/after [\d.]+ \w+|backup \S+/g, '…')
    const all = async () => {
      const ends = []
      for (const each of ['whole', 'trial', 'small']) ends.push(await run(each))
      const said = []
      for (const each of ['trial', 'small']) said.push(untimed((await text(each)).stdout))
      assert.notEqual(ends[0]?.backupId, null)
      return { said, ends: ends.map(({ by, outcome, message, code }) => [by, outcome, message !== null, code]) }
    }
    const recorded = async () =>
      (await historyOf(options, '--kind', 'backup')).map(({ outcome, message }) => [outcome, message])
    const alone = await all()
    assert.deepEqual(alone.ends, [
      ['command', 'warning', true, 3],
      ['command', 'failed', true, 5],
      ['command', 'skipped', false, 0],
    ])
    assert.deepEqual(await recorded(), [['warning', 'The hook after the backup (databases[0].hooks[1]) ended with 1.']])
    assert.equal(await listed('whole'), 'warning')
    const running = await agent()
    const byAgent = await all()
    assert.deepEqual(byAgent.ends, [
      ['agent', 'warning', true, 3],
      ['agent', 'failed', true, 5],
      ['agent', 'skipped', false, 0],
    ])
    assert.deepEqual(byAgent.said, alone.said)
    assert.match(byAgent.said[0] ?? '', /Failed/)
    assert.match(byAgent.said[1] ?? '', /Nothing was done: a hook asked for that\./)
    assert.deepEqual(
      [await listed('whole'), await listed('trial'), await listed('small')],
      ['warning', 'failed', 'skipped'],
    )
    const { code, stdout } = await cli(['status'], options)
    assert.doesNotMatch(stdout, /All is well/)
    assert.match(stdout, /The restore drill of app failed: /)
    assert.equal(code, 1)

    damage()
    const found = await run('check')
    assert.deepEqual([found.by, found.outcome, found.code], ['agent', 'failed', 5])
    assert.match(found.message ?? '', /segments/)
    assert.equal(await listed('check'), 'failed')
    assert.equal((await cliJsonError(['schedule', 'run', 'app', 'none'], options)).last.code, 'SCHEDULE_NOT_FOUND')
    assert.equal(await running.stop(), 0)
    assert.deepEqual([await listed('trial'), await listed('small')], ['failed', 'skipped'])
  })

  it('says that a drill could not be finished, and schedule list remembers it, with an agent and without', async (context) => {
    const { agent, listed, run } = await scene(context, { command: 'exit 127' })
    await run('whole')
    const alone = await run('trial')
    assert.deepEqual([alone.by, alone.outcome, alone.code], ['command', 'inconclusive', 3])
    assert.equal(await listed('trial'), 'inconclusive')
    const running = await agent()
    const byAgent = await run('trial')
    assert.deepEqual([byAgent.by, byAgent.outcome, byAgent.code], ['agent', 'inconclusive', 3])
    assert.equal(byAgent.message, alone.message)
    assert.equal(await listed('trial'), 'inconclusive')
    assert.equal(await running.stop(), 0)
  })
})

it('schedule list tells of a scheduled drill that failed that it did', async (context) => {
  const { agent, listed, run } = await scene(context, { assertions: ['SELECT count(*) = 0 FROM users'] }, '2s')
  await run('whole')
  const running = await agent()
  await running.line(/^drill of app: failed/)
  assert.equal(await running.stop(), 0)
  assert.equal(await listed('trial'), 'failed')
})
