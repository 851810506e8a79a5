import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it, type TestContext } from 'node:test'
import { AgentProgram, writeConfig } from './support/agent.ts'
import { type CliOptions, cliOk, scratchFolder } from './support/cli.ts'
import { integrity, makeDatabase } from './support/database.ts'
import { cliJson } from './support/json-lines.ts'

/** An agent that follows a database, beside which commands are run. */
async function besideAgent(context: TestContext) {
  const cwd = await scratchFolder(context)
  const at = (name: string) => join(cwd, name)
  makeDatabase(at('app.db'))
  await cliOk(['init'], { cwd })
  writeConfig(cwd, { databases: [{ path: 'app.db', follow: { syncInterval: '100ms' } }] })
  const agent = new AgentProgram(context, cwd)
  await agent.line(/^Following app/)
  const application = new DatabaseSync(at('app.db'), { timeout: 5000 })
  context.after(async () => application.close())
  const insert = application.prepare('INSERT INTO users (name) VALUES (?)')
  const options: CliOptions = { cwd, env: { XDG_STATE_HOME: at('xdg') } }
  return {
    at,
    agent,
    application,
    options,
    commit: (name: string) => insert.run(name),
    /** Waits until it is in the repository, as `status` tells. */
    durable: async (lsn: number): Promise<void> => {
      for (;;) {
        const { last } = await cliJson('status', [], options)
        if ((last.databases[0]?.following?.durableLsn ?? 0) >= lsn) return
      }
    },
    restored: async (...state: string[]): Promise<string[]> => {
      const file = `${state.join('').replaceAll(/\W/g, '')}.db`
      await cliOk(['restore', 'app', ...state, '--to', file], options)
      assert.equal(integrity(at(file)), 'ok')
      using database = new DatabaseSync(at(file), { readOnly: true })
      return database
        .prepare('SELECT name FROM users WHERE id > 200 ORDER BY id')
        .all()
        .map(({ name }) => String(name))
    },
  }
}

describe('beside an agent that follows a database', () => {
  it('list, points and restore know every commit, and the state that was asked for comes back', async (context) => {
    const { agent, commit, durable, options, restored } = await besideAgent(context)
    for (const name of ['a', 'b', 'c']) commit(name)
    await durable(4)
    const { last: points } = await cliJson('points', ['app'], options)
    assert.deepEqual(
      points.windows.map(({ fromLsn, toLsn }) => [fromLsn, toLsn]),
      [[1, 4]],
    )
    assert.deepEqual(points.gaps, [])
    const { last: list } = await cliJson('list', ['app'], options)
    assert.equal(list.databases.length, 1)
    assert.deepEqual(await restored('--lsn', '3'), ['a', 'b'])
    assert.deepEqual(await restored('--lsn', '3', '--before'), ['a'])
    assert.deepEqual(await restored('--latest'), ['a', 'b', 'c'])
    assert.equal(await agent.stop(), 0)
  })

  it('a backup is made by the agent, is checked, and holds what was committed before it was asked for', async (context) => {
    const { agent, application, commit, options, restored } = await besideAgent(context)
    commit('a')
    const { last } = await cliJson('backup', ['app.db', '--type', 'snapshot', '--name', 'mark'], options)
    const [{ backup } = assert.fail()] = last.backups
    assert.deepEqual([backup.type, backup.lsn, backup.storedBytes], ['snapshot', 2, 0])
    application.exec('DELETE FROM orders; DELETE FROM users WHERE id > 200')
    await cliOk(['backup', 'app.db', '--type', 'full'], options)
    commit('b')
    await cliOk(['backup', 'app.db'], options)
    const { last: list } = await cliJson('list', ['app'], options)
    assert.deepEqual(list.databases[0]?.backups.map(({ type }) => type).sort(), ['full', 'incremental', 'snapshot'])
    assert.deepEqual(await restored('--name', 'mark'), ['a'])
    assert.deepEqual(await restored('--latest'), ['b'])
    const { last: verified } = await cliJson('verify', ['app', '--level', 'restore'], options)
    assert.deepEqual(verified.findings, [])
    assert.equal(await agent.stop(), 0)
    assert.ok(!agent.lines.some(({ level }) => level === 'error' || level === 'warn'), JSON.stringify(agent.lines))
  })
})
