import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { HoldfastError } from '../../../src/errors.ts'
import { runCommand } from '../../../src/source/sqlite/target/run-command.ts'
import { currentProcess, processState } from '../../../src/util/process-identity.ts'

const skip = process.platform === 'win32' && 'uses a POSIX shell'
const isDead = (pid: number) => processState({ ...currentProcess(), pid, startedAt: '' }) === 'dead'

test('a command has ended when its shell has, whoever still holds its output open', { skip }, async () => {
  const { output } = await runCommand('setsid sleep 30 & echo $!', '/dev/null', { timeoutMs: 5000 })
  endIfAlive(Number(output))
})

test('what a command prints from the background shortly after its end is taken', { skip }, async () => {
  const { output } = await runCommand('(sleep 0.02; echo late) & echo soon', '/dev/null', { timeoutMs: 5000 })
  assert.equal(output, 'soon\nlate')
})

test('what a command leaves running is ended with it', { skip }, async () => {
  const { output } = await runCommand('sleep 30 >/dev/null 2>&1 & echo $!', '/dev/null', { timeoutMs: 5000 })
  while (!isDead(Number(output))) await delay(5)
})

test('a time-out when nothing is left to stop is no crash', { skip }, async () => {
  const command = 'setsid sleep 30 & echo $!; kill -9 $$'
  const failure = await runCommand(command, '/dev/null', { timeoutMs: 50 }).catch((error: unknown) => error)
  assert.ok(failure instanceof Error)
  await delay(100)
  endIfAlive(Number(/\n(\d+)$/.exec(failure.message)?.[1]))
})

test('a command that fails says what it printed, or that it printed nothing', { skip }, async () => {
  const failureOf = async (command: string) => {
    const failure = await runCommand(command, '/dev/null', { timeoutMs: 5000 }).catch((error: unknown) => error)
    assert.ok(failure instanceof HoldfastError)
    return [failure.message, failure.hint]
  }
  assert.deepEqual(await failureOf('echo no such user; exit 3'), [
    'The check command ended with 3.\nno such user',
    'The target is as it was. Look at what it printed, or restore another state.',
  ])
  assert.deepEqual(await failureOf('exit 3'), [
    'The check command ended with 3, and printed nothing.',
    'The target is as it was. Run the command by hand to see what it finds, or restore another state.',
  ])
})

/** What left the process group is out of reach of the command's end. */
function endIfAlive(pid: number): void {
  assert.ok(pid > 0)
  if (!isDead(pid)) process.kill(pid, 'SIGKILL')
}
