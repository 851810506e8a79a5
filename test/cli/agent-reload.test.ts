import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { watch, writeFileSync } from 'node:fs'
import { access, open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { AgentProgram, writeConfig } from './support/agent.ts'
import { cliOk, scratchFolder } from './support/cli.ts'
import { makeDatabase } from './support/database.ts'

async function workplace(context: TestContext, config: object) {
  const cwd = await scratchFolder(context)
  makeDatabase(join(cwd, 'app.db'))
  await cliOk(['init'], { cwd })
  writeConfig(cwd, config)
  return { cwd, at: (name: string) => join(cwd, name), agent: () => new AgentProgram(context, cwd) }
}

/** The agent waits in the middle of reading its configuration, until somebody writes its secret into a pipe. */
async function waiting(context: TestContext) {
  const databases = [{ path: 'app.db', follow: false }]
  const config = { databases, notify: [{ webhook: { url: 'http://127.0.0.1:9/', secretFile: 'secret' } }] }
  const place = await workplace(context, config)
  const pipe = place.at('secret')
  execFileSync('mkfifo', [pipe])
  const running = place.agent()
  return { ...place, config, pipe, running, reading: await open(pipe, 'w') }
}

describe('the agent', () => {
  it('outlives a hang-up while it starts, and reads its configuration anew when it has', async (context) => {
    const { running, pipe, reading } = await waiting(context)
    running.signal('SIGHUP')
    await reading.writeFile('secret')
    await reading.close()
    await running.line(/^The agent runs/)
    await writeFile(pipe, 'secret')
    await running.line(/^The configuration was read anew/)
    assert.equal(await running.stop(), 0)
  })

  it('takes up a change of its configuration that came while it started', async (context) => {
    const { cwd, at, config, running, pipe, reading } = await waiting(context)
    makeDatabase(at('other.db'))
    writeConfig(cwd, { ...config, databases: [...config.databases, { path: 'other.db', follow: false }] })
    await reading.writeFile('secret')
    await reading.close()
    await running.line(/^The agent runs/)
    await writeFile(pipe, 'secret')
    await running.line(/^Looking after other/)
    assert.equal(await running.stop(), 0)
  })

  it('outlives a hang-up while it stops', async (context) => {
    const command = 'touch begun; while ! test -e go; do sleep 0.1; done'
    const { cwd, at, agent } = await workplace(context, {
      databases: [{ path: 'app.db', follow: false, hooks: [{ before: 'backup', command }] }],
    })
    const running = agent()
    await isThere(cwd, 'begun')
    const ended = running.stop()
    await running.line(/^The agent stops, in order/)
    running.signal('SIGHUP')
    writeFileSync(at('go'), '')
    assert.equal(await ended, 0)
  })
})

async function isThere(folder: string, name: string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const look = () => access(join(folder, name)).then(resolve, () => {})
  const watcher = watch(folder, () => void look())
  await look()
  await promise
  watcher.close()
}
