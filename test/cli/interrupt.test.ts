import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { it, type TestContext } from 'node:test'
import { errorLine } from '../../src/cli/json/schemas.ts'
import { cliOk, scratchFolder, startCli } from './support/cli.ts'
import { makeDatabase } from './support/database.ts'
import { cliJson } from './support/json-lines.ts'

async function workplace(context: TestContext) {
  const cwd = await scratchFolder(context)
  // Random bytes and the slowest compression make work that can be interrupted.
  makeDatabase(join(cwd, 'app.db'), { rows: 20_000, bytes: 2000 })
  await cliOk(['init'], { cwd })
  return { cwd, slowBackup: ['backup', 'app.db', '--codec', 'gzip', '--level', '9'] }
}

/** Starts a command with `--json`, and sends the signal when it has come to a phase. */
async function interrupt(args: readonly string[], cwd: string, phase: string, signal: NodeJS.Signals) {
  const { child, ended } = startCli([...args, '--json'], { cwd })
  assert.ok(child.stdout !== null)
  let sent = false
  for await (const line of createInterface(child.stdout)) {
    if (!sent && line.includes(`"phase":"${phase}"`)) sent = child.kill(signal)
    if (line.includes('"type":"error"')) return { last: errorLine.parse(JSON.parse(line)), code: (await ended).code }
    assert.ok(!line.includes('"type":"result"'), 'it was over before it could be interrupted')
  }
  return { last: undefined, code: (await ended).code }
}

const temporary = (cwd: string) =>
  readdirSync(cwd, { recursive: true, encoding: 'utf8' }).filter((name) => /tmp|journal|\.hfs$/.test(name))

for (const [signal, status] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  it(`${signal} during a backup ends with ${status} and leaves nothing`, async (context) => {
    const { cwd, slowBackup } = await workplace(context)
    const { last, code } = await interrupt(slowBackup, cwd, 'copy', signal)
    assert.deepEqual(
      [last?.code, last?.message, last?.exitCode, code],
      ['ABORTED', `Interrupted by ${signal}.`, status, status],
    )
    assert.equal(last?.partialBackup?.database, 'app')
    assert.deepEqual(temporary(cwd), [])
    const { last: after } = await cliJson('list', [], { cwd })
    assert.deepEqual(
      after.databases.flatMap(({ backups }) => backups),
      [],
    )
    await cliOk(['backup', 'app.db'], { cwd })
  })
}

it('SIGINT during the proof of a restore ends with 130, and the target is as it was', async (context) => {
  const { cwd } = await workplace(context)
  await cliOk(['backup', 'app.db'], { cwd })
  const before = readdirSync(cwd)
  const restore = ['restore', 'app', '--latest', '--to', 'out.db', '--check', 'sleep 60']
  const { last, code } = await interrupt(restore, cwd, 'prove', 'SIGINT')
  assert.deepEqual([last?.code, code], ['ABORTED', 130])
  assert.deepEqual(readdirSync(cwd), before)
})

it('kill -9 during a backup leaves a repository that works, with nobody having to unlock it', async (context) => {
  const { cwd, slowBackup } = await workplace(context)
  const { last, code } = await interrupt(slowBackup, cwd, 'copy', 'SIGKILL')
  assert.deepEqual([last, code], [undefined, null])
  await cliOk(['backup', 'app.db'], { cwd })
  const { last: verified } = await cliJson('verify', [], { cwd })
  assert.equal(verified.ok, true)
  assert.deepEqual(
    temporary(cwd).filter((name) => !name.endsWith('.hfs')),
    [],
  )
})

it('people are told at once that it stops, and that nothing half-done was left', async (context) => {
  const { cwd, slowBackup } = await workplace(context)
  const { child, ended } = startCli(slowBackup, { cwd })
  assert.ok(child.stderr !== null)
  await once(child.stderr, 'data')
  child.kill('SIGINT')
  const { stderr, code } = await ended
  assert.equal(code, 130)
  assert.match(
    stderr,
    /Stopping and cleaning up[\s\S]*error: Interrupted by SIGINT\.\nhint: Nothing half-done was left/,
  )
})

it('the second signal ends the process at once, whatever it is doing, also where a system call hangs', async (context) => {
  const fifo = join(await scratchFolder(context), 'hangs')
  execFileSync('mkfifo', [fifo])
  const module = join(import.meta.dirname, '../../src/cli/signals.ts')
  const program = `
    const { listenForInterrupts } = await import(${JSON.stringify(module)})
    const { readFile } = await import('node:fs/promises')
    listenForInterrupts(() => console.log('first'))
    readFile(${JSON.stringify(fifo)})
    process.on('exit', () => console.log('cleaned up'))
    console.log('ready')`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  context.after(() => child.kill('SIGKILL'))
  const closed = once(child, 'close')
  const lines: string[] = []
  for await (const line of createInterface(child.stdout)) {
    lines.push(line)
    if (line !== 'cleaned up') child.kill(line === 'ready' ? 'SIGTERM' : 'SIGINT')
  }
  assert.deepEqual(await closed, [null, 'SIGINT'])
  assert.deepEqual(lines, ['ready', 'first', 'cleaned up'])
})
