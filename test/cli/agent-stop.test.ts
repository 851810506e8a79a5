import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, it, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { AgentProgram, writeConfig } from './support/agent.ts'
import { cliOk, scratchFolder, startCli } from './support/cli.ts'
import { count, makeDatabase } from './support/database.ts'
import { cliJson } from './support/json-lines.ts'

const waits = /^app: \S+ \S+ wait for the next start, which uploads them\.$/m

/** An agent that follows a database, to which an application writes while the repository cannot be reached. */
async function withoutRepository(context: TestContext) {
  const cwd = await scratchFolder(context)
  const at = (name: string) => join(cwd, name)
  const env = { XDG_STATE_HOME: at('xdg') }
  makeDatabase(at('app.db'))
  await cliOk(['init'], { cwd })
  const databases = [{ path: 'app.db', follow: { syncInterval: '100ms' } }]
  writeConfig(cwd, { databases, stopTimeout: '2s' })
  const first = new AgentProgram(context, cwd)
  await first.line(/^Following app/)
  // The last connection that is closed would delete the log.
  const application = new DatabaseSync(at('app.db'), { timeout: 5000 })
  context.after(async () => application.close())
  application.exec("INSERT INTO users (name) VALUES ('zero')")
  await first.line(/^Uploaded commits of app/)
  renameSync(at('backups'), at('away'))
  writeFileSync(at('backups'), 'This is no folder.')
  application.exec("INSERT INTO users (name) VALUES ('one')")
  await first.line(/^An upload of app failed/)
  return {
    first,
    application,
    status: async () => (await cliJson('status', [], { cwd, env })).last,
    /** All that the application committed is in the repository after another run. */
    nextStartKeepsAll: async (): Promise<void> => {
      rmSync(at('backups'))
      renameSync(at('away'), at('backups'))
      const second = new AgentProgram(context, cwd)
      await second.line(/^Following app: .*(no commit missing|unchanged)/)
      assert.equal(await second.stop(), 0)
      assert.equal(second.output, '')
      await cliOk(['restore', 'app', '--latest', '--to', 'restored.db'], { cwd, env })
      assert.equal(count(at('restored.db'), 'users'), count(at('app.db'), 'users'))
      const { last } = await cliJson('points', ['app'], { cwd, env })
      assert.deepEqual(last.gaps, [])
    },
  }
}

describe('holdfast run, told to stop', () => {
  it('while it cannot upload, ends in time, says what waits, and the next start uploads it', async (context) => {
    const all = await withoutRepository(context)
    const { first, application } = all
    application.exec("INSERT INTO users (name) VALUES ('two')")
    assert.equal(await first.stop(), 3)
    assert.match(first.output, waits)
    await all.nextStartKeepsAll()
  })

  it('while its worker hangs too, says what waits all the same', async (context) => {
    const all = await withoutRepository(context)
    const { first } = all
    const { workers } = z.object({ workers: z.array(z.int()) }).parse(await all.status())
    for (const pid of workers) process.kill(pid, 'SIGSTOP')
    assert.equal(await first.stop(), 3)
    assert.match(first.output, waits)
    const told = first.lines.filter(({ message }) => /^Following app did not end in order/.test(message))
    assert.deepEqual(
      told.map(({ level }) => level),
      ['error'],
    )
    assert.match(told[0]?.message ?? '', /Worker process \d+ did not end when it was told to, and was ended\.$/)
    await all.nextStartKeepsAll()
  })

  it('while an operation does not end, because its worker hangs, names that and cuts it off', async (context) => {
    const cwd = await scratchFolder(context)
    const options = { cwd, env: { XDG_STATE_HOME: join(cwd, 'xdg') } }
    makeDatabase(join(cwd, 'app.db'))
    await cliOk(['init'], { cwd })
    writeConfig(cwd, { databases: [{ path: 'app.db', retention: true }], stopTimeout: '1s' })
    const agent = new AgentProgram(context, cwd)
    await agent.line(/^Following app/)
    const status = async () => (await cliJson('status', [], options)).last
    for (const pid of (await status()).workers) process.kill(pid, 'SIGSTOP')
    const { child, ended } = startCli(['schedule', 'run', 'app', 'expire-daily'], options)
    context.after(async () => void child.kill('SIGKILL'))
    while (!(await status()).running.some(({ kind }) => kind === 'expire'));
    await agent.stop()
    await ended
    await agent.line(/^What was called off does not end, and is cut off: expire of app\.$/)
    assert.equal(agent.lines.at(-1)?.message, 'The agent has stopped.')
  })

  it('while a system call hangs, as on a disk that is away, ends all the same', async (context) => {
    const cwd = await scratchFolder(context)
    const lease = join(cwd, 'backups/databases/other/lease.json')
    makeDatabase(join(cwd, 'app.db'))
    await cliOk(['init'], { cwd })
    mkdirSync(dirname(lease), { recursive: true })
    writeFileSync(join(dirname(lease), 'database.json'), '{}')
    execFileSync('mkfifo', [lease])
    writeConfig(cwd, { databases: [{ path: 'app.db' }], stopTimeout: '1s' })
    const agent = new AgentProgram(context, cwd)
    while (!hangs(agent.pid)) await sleep(5)
    agent.signal('SIGTERM')
    await agent.line(/^The agent has stopped/)
    assert.equal(await agent.ended(), null, 'it ends by a signal')
  })
})

/** Whether a thread of a process waits for somebody who opens the other end of a pipe. */
function hangs(pid: number): boolean {
  const tasks = `/proc/${pid}/task`
  return readdirSync(tasks).some((task) => readFileSync(`${tasks}/${task}/wchan`, 'utf8') === 'wait_for_partner')
}
