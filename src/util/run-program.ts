import { spawn } from 'node:child_process'

export interface ProgramOptions {
  /** A text is given to the shell, with `parameters` as `$1`, `$2` …; a list is a program and its arguments. */
  readonly command: string | readonly [string, ...string[]]
  readonly parameters?: readonly string[] | undefined
  /** Added to the environment of this process. */
  readonly environment?: Readonly<Record<string, string>> | undefined
  readonly folder?: string | undefined
  readonly input?: string | undefined
  readonly timeoutMs: number
  /** How long it has to clean up after SIGTERM before it is killed, in milliseconds; default 0: it is killed at once. */
  readonly graceMs?: number | undefined
  readonly signal?: AbortSignal | undefined
  /** How much of the end of its output is kept, in bytes; default 4096. */
  readonly tailBytes?: number | undefined
}

/** What a command is called where others may read it: its arguments may hold secrets. */
export function programName(command: ProgramOptions['command']): string {
  if (typeof command !== 'string') return command[0]
  // Assignments stand before the program: `TOKEN=… send-sms`.
  const word = command.split(/\s+/).find((part) => part !== '' && !part.includes('='))
  return word !== undefined && /^[\w./-]+$/.test(word) ? word : 'a shell command'
}

export interface ProgramResult {
  /** Exit status, or the signal that ended it. */
  readonly status: number | NodeJS.Signals
  readonly timedOut: boolean
  /** The end of what it printed, to both streams. */
  readonly output: string
  readonly durationMs: number
}

/** How long output may still come once the program has ended: a process that it left behind can keep the pipes open for ever. */
const outputGraceMs = 250

/**
 * Runs a program of the user's to its end. It has a process group of its own: what it started and left running ends with it, on
 * a time limit as well as afterwards. An aborted `signal` ends it too; the caller tells that from its result by the signal.
 * @throws the system's error when it cannot be started
 */
export function runProgram(options: ProgramOptions): Promise<ProgramResult> {
  const {
    command,
    parameters = [],
    environment,
    folder,
    input,
    timeoutMs,
    graceMs = 0,
    signal,
    tailBytes = 4096,
  } = options
  const windows = process.platform === 'win32'
  const settings = {
    env: { ...process.env, ...environment },
    cwd: folder,
    detached: !windows,
    stdio: ['pipe', 'pipe', 'pipe'],
  } satisfies Parameters<typeof spawn>[2]
  const startedAt = performance.now()
  const child =
    typeof command !== 'string'
      ? spawn(command[0], [...command.slice(1), ...parameters], settings)
      : windows
        ? spawn(command, [...parameters], { ...settings, shell: true })
        : spawn('/bin/sh', ['-c', command, 'sh', ...parameters], settings)

  let tail = Buffer.alloc(0)
  const collect = (chunk: Buffer) => {
    tail = Buffer.concat([tail, chunk]).subarray(-tailBytes)
  }
  child.stdout.on('data', collect)
  child.stderr.on('data', collect)
  // A program need not read what it is given.
  child.stdin.on('error', () => {})
  child.stdin.end(input ?? '')

  const send = (name: 'SIGTERM' | 'SIGKILL') => {
    if (windows || child.pid === undefined) child.kill(name)
    else signalGroup(child.pid, name)
  }
  let killTimer: NodeJS.Timeout | undefined
  let timedOut = false
  const stop = () => {
    if (killTimer !== undefined) return
    if (graceMs > 0) send('SIGTERM')
    killTimer = setTimeout(() => send('SIGKILL'), graceMs)
  }
  const deadline = setTimeout(() => {
    timedOut = true
    stop()
  }, timeoutMs)
  signal?.addEventListener('abort', stop, { once: true })
  if (signal?.aborted) stop()

  return new Promise((resolve, reject) => {
    let isSettled = false
    const settle = (act: () => void) => {
      if (isSettled) return
      isSettled = true
      clearTimeout(deadline)
      clearTimeout(killTimer)
      signal?.removeEventListener('abort', stop)
      if (!windows) send('SIGKILL')
      child.stdout.destroy()
      child.stderr.destroy()
      act()
    }
    child.once('error', (error) => settle(() => reject(error)))
    child.once('exit', (code, name) => {
      const finish = () => {
        const output = tail.toString().trim()
        const durationMs = Math.round(performance.now() - startedAt)
        settle(() => resolve({ status: code ?? name ?? 'SIGKILL', timedOut, output, durationMs }))
      }
      const grace = setTimeout(finish, outputGraceMs)
      child.once('close', () => {
        clearTimeout(grace)
        finish()
      })
    })
  })
}

function signalGroup(leader: number, name: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(-leader, name)
  } catch (error) {
    // Nobody is left in it.
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error
  }
}
