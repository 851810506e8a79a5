import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { promisify } from 'node:util'
import { z } from 'zod'
import { runProgram } from '../../src/util/run-program.ts'
import { processEnd } from '../agent/support/process-end.ts'

const run = promisify(execFile)
const asNobody = join(import.meta.dirname, 'support/run-as-nobody.ts')
const isRoot = process.getuid?.() === 0

const result = z.object({
  status: z.union([z.number(), z.string()]),
  timedOut: z.boolean(),
  unended: z.enum(['another-user', 'survives']).optional(),
  output: z.string(),
})

/** As a user who may not end what runs; ends what is left: its pid is what it printed. */
async function runAsNobody(options: object) {
  const { stdout } = await run(process.execPath, [asNobody, JSON.stringify(options)], { timeout: 30_000 })
  const ended = result.parse(JSON.parse(stdout))
  const wasAlive = end(ended.output)
  await processEnd(ended.output)
  return { ...ended, wasAlive }
}

/** @param pid as a program printed it */
function end(pid: string): boolean {
  assert.match(pid, /^[1-9]\d*$/)
  return process.kill(Number(pid), 'SIGKILL')
}

/** What the system says to somebody who may not send a signal. */
function denied(): never {
  throw Object.assign(new Error('kill EPERM'), { code: 'EPERM' })
}

describe('a program that became another user', { skip: isRoot ? false : 'Only root can be two users.' }, () => {
  it('and outlives its time is given up, and that is told', async () => {
    const ended = await runAsNobody({ command: 'echo $$; exec sleep 600', timeoutMs: 500, graceMs: 50 })
    assert.deepEqual([ended.timedOut, ended.unended, ended.wasAlive], [true, 'another-user', true])
  })

  it('is given up as soon when it is not told to stop before', async () => {
    const ended = await runAsNobody({ command: 'echo $$; exec sleep 600', timeoutMs: 500 })
    assert.deepEqual([ended.timedOut, ended.unended, ended.wasAlive], [true, 'another-user', true])
  })

  it('may leave something behind, and that is told', async () => {
    const ended = await runAsNobody({ command: 'sleep 600 & echo $!', timeoutMs: 20_000 })
    assert.deepEqual([ended.status, ended.timedOut, ended.unended, ended.wasAlive], [0, false, 'another-user', true])
  })
})

describe('a program', () => {
  it('that nobody can end is given up', async () => {
    const running = runProgram({ command: 'echo $$; exec sleep 600', timeoutMs: 500, graceMs: 10, kill: denied })
    const { timedOut, unended, output } = await running
    end(output)
    assert.deepEqual([timedOut, unended], [true, 'another-user'])
  })

  it('that no signal ends is given up', async () => {
    const ignored: string[] = []
    const kill = (_pid: number, name: string) => void ignored.push(name)
    const { timedOut, unended, output } = await runProgram({
      command: 'echo $$; exec sleep 600',
      timeoutMs: 500,
      graceMs: 10,
      kill,
    })
    end(output)
    assert.deepEqual([timedOut, unended, ignored.slice(0, 2)], [true, 'survives', ['SIGTERM', 'SIGKILL']])
  })

  it('that leaves nothing behind, or only what ends with it, has ended', async () => {
    const plain = await runProgram({ command: 'true', timeoutMs: 20_000 })
    const leaving = await runProgram({ command: 'sleep 600 & echo $!', timeoutMs: 20_000 })
    await processEnd(leaving.output)
    assert.deepEqual([plain.unended, leaving.unended], [undefined, undefined])
  })
})
