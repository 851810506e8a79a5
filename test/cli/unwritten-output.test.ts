import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, it, type TestContext } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { writeConfig } from './support/agent.ts'
import { bin, cliOk, scratchFolder } from './support/cli.ts'
import { change, makeDatabase } from './support/database.ts'
import { cliJson } from './support/json-lines.ts'

async function workplace(context: TestContext) {
  const cwd = await scratchFolder(context)
  makeDatabase(join(cwd, 'app.db'))
  await cliOk(['init'], { cwd })
  return cwd
}

/** Starts `holdfast` with its output on a disk that is full. */
function withFullDisk(context: TestContext, cwd: string, args: readonly string[], isErrorLost: boolean) {
  const full = openSync('/dev/full', 'w')
  const child = spawn(process.execPath, [bin, ...args], {
    cwd,
    env: { ...process.env, XDG_STATE_HOME: join(cwd, 'xdg') },
    stdio: ['ignore', full, isErrorLost ? full : 'pipe'],
  })
  closeSync(full)
  context.after(() => child.kill('SIGKILL'))
  const exited = once(child, 'close').then(([code]) => code)
  return { child, exited }
}

async function newestLsn(cwd: string): Promise<number> {
  const { last } = await cliJson('list', [], { cwd })
  return last.databases[0]?.followed?.toLsn ?? 0
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await setTimeout(100)
}

describe('on a full disk below its output', { skip: process.platform !== 'linux' && 'There is no /dev/full.' }, () => {
  it('a command that is done says what it could not print, without a stack trace', async (context) => {
    const cwd = await workplace(context)
    const { child, exited } = withFullDisk(context, cwd, ['backup', 'app.db', '--quiet'], false)
    assert.ok(child.stderr)
    const told = await text(child.stderr)
    assert.equal(await exited, 3)
    assert.match(told, /^warning: It is done, but what was to be printed could not be written: ENOSPC: [^\n]*\.\n$/)
    assert.equal((await cliJson('list', [], { cwd })).last.databases[0]?.backups.length, 1)
  })

  // What is left is the last word of the one, on stdout, and in the log of the other.
  const followers: readonly (readonly [what: string, args: readonly string[], code: number])[] = [
    ['holdfast follow', ['follow', 'app.db', '--sync-interval', '100ms'], 3],
    ['holdfast run', ['run'], 0],
  ]
  for (const [what, args, code] of followers)
    it(`"${what}" goes on following`, async (context) => {
      const cwd = await workplace(context)
      writeConfig(cwd, { databases: [{ path: 'app.db', follow: { syncInterval: '100ms' } }] })
      const { child, exited } = withFullDisk(context, cwd, args, true)
      let isOver = false
      void exited.then(() => {
        isOver = true
      })
      change(join(cwd, 'app.db'), "INSERT INTO users (name) VALUES ('before it was followed')")
      for (let commit = 1; commit <= 2; commit++) {
        const before = await newestLsn(cwd)
        await until(async () => {
          assert.equal(isOver, false, `it ended with ${child.exitCode}`)
          change(join(cwd, 'app.db'), "INSERT INTO users (name) VALUES ('while it is followed')")
          return (await newestLsn(cwd)) > before
        })
      }
      child.kill('SIGTERM')
      assert.equal(await exited, code)
    })
})
