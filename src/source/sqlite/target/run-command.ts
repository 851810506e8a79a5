import { spawn } from 'node:child_process'
import { HoldfastError } from '../../../errors.ts'

export interface CommandOptions {
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}

const tailBytes = 4096
/** How long output may still come once the command has ended: a process that it left behind can keep the pipes open for ever. */
const outputGraceMs = 250

/**
 * Runs a command of the user's through the shell, with the file as `$1` and in HOLDFAST_RESTORED_FILE. What it started and
 * left running ends with it.
 * @returns the end of what it printed
 * @throws CHECK_COMMAND_FAILED if it exits with anything but 0 or runs too long; ABORTED
 */
export async function runCommand(
  command: string,
  file: string,
  options: CommandOptions,
): Promise<{ output: string; durationMs: number }> {
  const startedAt = performance.now()
  options.signal?.throwIfAborted()
  const deadline = AbortSignal.timeout(options.timeoutMs)
  const stop = options.signal === undefined ? deadline : AbortSignal.any([options.signal, deadline])
  const { status, output } = await runShell(command, file, stop)
  options.signal?.throwIfAborted()
  if (status === 0) return { output, durationMs: Math.round(performance.now() - startedAt) }
  const why = deadline.aborted ? `ran longer than ${options.timeoutMs / 1000} s` : `ended with ${status}`
  throw new HoldfastError('CHECK_COMMAND_FAILED', `The check command ${why}.${output === '' ? '' : `\n${output}`}`, {
    object: command,
    hint: 'The target is as it was. Look at the output above, or restore another state.',
  })
}

function runShell(
  command: string,
  file: string,
  stop: AbortSignal,
): Promise<{ status: number | string; output: string }> {
  const windows = process.platform === 'win32'
  const env = { ...process.env, HOLDFAST_RESTORED_FILE: file }
  // Its own process group, so that what the command started can be stopped with it.
  const child = windows
    ? spawn(command, { shell: true, env, stdio: ['ignore', 'pipe', 'pipe'] })
    : spawn('/bin/sh', ['-c', command, 'sh', file], { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  let tail = Buffer.alloc(0)
  const collect = (chunk: Buffer) => {
    tail = Buffer.concat([tail, chunk]).subarray(-tailBytes)
  }
  child.stdout.on('data', collect)
  child.stderr.on('data', collect)
  const kill = () => {
    if (windows || child.pid === undefined) child.kill('SIGKILL')
    else killGroup(child.pid)
  }
  return new Promise((resolve, reject) => {
    let isSettled = false
    const settle = (act: () => void) => {
      if (isSettled) return
      isSettled = true
      stop.removeEventListener('abort', kill)
      if (!windows) kill()
      child.stdout.destroy()
      child.stderr.destroy()
      act()
    }
    stop.addEventListener('abort', kill, { once: true })
    child.once('error', (error) => settle(() => reject(error)))
    child.once('exit', (code, signal) => {
      const finish = () =>
        settle(() => resolve({ status: code ?? signal ?? 'nothing', output: tail.toString().trim() }))
      const grace = setTimeout(finish, outputGraceMs)
      child.once('close', () => {
        clearTimeout(grace)
        finish()
      })
    })
  })
}

function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL')
  } catch (error) {
    // Nobody is left in it.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}
