import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { killGroup, type SendSignal, signalGroup } from './signal-group.ts'

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
  /** Default: the system's. */
  readonly kill?: SendSignal | undefined
}

/** Why something runs on: it is `another-user`'s, who may not be sent a signal; or it `survives` being killed, as what waits for a device does. */
export type Unended = 'another-user' | 'survives'

/** What a command is called where others may read it: its arguments may hold secrets. */
export function programName(command: ProgramOptions['command']): string {
  if (typeof command !== 'string') return command[0]
  // Assignments stand before the program: `TOKEN=… send-sms`.
  const word = command.split(/\s+/).find((part) => part !== '' && !part.includes('='))
  return word !== undefined && /^[\w./-]+$/.test(word) ? word : 'a shell command'
}

export interface ProgramResult {
  /** Exit status, or the signal that ended it; of one that runs on, the one that should have. */
  readonly status: number | NodeJS.Signals
  readonly timedOut: boolean
  /** It, or what it started, runs on. */
  readonly unended?: Unended | undefined
  /** The end of what it printed, to both streams. */
  readonly output: string
  readonly durationMs: number
}

const unendedTexts: Readonly<Record<Unended, string>> = {
  'another-user': 'could not be ended, since it runs as another user',
  survives: 'did not end when it was killed',
}

/** What follows how it ended, if anything runs on: `, and could not be ended, since it runs as another user`. */
export function unendedText({ unended, timedOut }: Pick<ProgramResult, 'unended' | 'timedOut'>): string {
  if (unended === undefined) return ''
  return `, and ${timedOut ? '' : 'what it left running '}${unendedTexts[unended]}`
}

const windows = process.platform === 'win32'
/** How long output may still come once the program has ended: a process that it left behind can keep the pipes open for ever. */
const outputGraceMs = 250
/** What was killed ends within this time, or not at all. */
const killedMs = 1000

/**
 * Runs a program of the user's to its end. It has a process group of its own: what it started and left running ends with it, on
 * a time limit as well as afterwards. What cannot be ended, because it became another user's (`sudo`), is left to itself, and told. An aborted
 * `signal` ends it too; the caller tells that from its result by the signal.
 * @throws the system's error when it cannot be started
 */
export function runProgram(options: ProgramOptions): Promise<ProgramResult> {
  const { timeoutMs, graceMs = 0, signal, tailBytes = 4096, kill = process.kill } = options
  const startedAt = performance.now()
  const child = start(options)

  let tail = Buffer.alloc(0)
  const collect = (chunk: Buffer) => {
    tail = Buffer.concat([tail, chunk]).subarray(-tailBytes)
  }
  child.stdout.on('data', collect)
  child.stderr.on('data', collect)
  // A program need not read what it is given.
  child.stdin.on('error', () => {})
  child.stdin.end(options.input ?? '')

  const send = (name: 'SIGTERM' | 'SIGKILL') => {
    if (windows || child.pid === undefined) child.kill(name)
    else signalGroup(child.pid, name, kill)
  }
  /** What is left of it. */
  const killRest = async () => (windows || child.pid === undefined ? 'none' : await killGroup(child.pid, kill))

  const { promise, resolve, reject } = Promise.withResolvers<ProgramResult>()
  let stopTimer: NodeJS.Timeout | undefined
  let timedOut = false
  let isSettled = false
  const settle = (act: () => void) => {
    if (isSettled) return
    isSettled = true
    clearTimeout(deadline)
    clearTimeout(stopTimer)
    signal?.removeEventListener('abort', stop)
    child.stdin.destroy()
    child.stdout.destroy()
    child.stderr.destroy()
    act()
  }
  const finish = (status: ProgramResult['status'], hasEnded: boolean) => {
    const output = tail.toString().trim()
    const durationMs = Math.round(performance.now() - startedAt)
    settle(() => {
      const ended = killRest().then((reached) => {
        const survives = hasEnded ? undefined : 'survives'
        return {
          status,
          timedOut,
          unended: reached === 'denied' ? 'another-user' : survives,
          output,
          durationMs,
        } as const
      })
      ended.then(resolve, reject)
    })
  }
  const giveUp = () => {
    child.unref()
    finish('SIGKILL', false)
  }
  const stop = () => {
    if (stopTimer !== undefined) return
    if (graceMs > 0) send('SIGTERM')
    stopTimer = setTimeout(() => {
      send('SIGKILL')
      stopTimer = setTimeout(giveUp, killedMs)
    }, graceMs)
  }
  const deadline = setTimeout(() => {
    timedOut = true
    stop()
  }, timeoutMs)
  signal?.addEventListener('abort', stop, { once: true })
  if (signal?.aborted) stop()

  // It may say so again, when it is not to be ended.
  child.on('error', (error) => settle(() => reject(error)))
  child.once('exit', (code, name) => {
    clearTimeout(deadline)
    clearTimeout(stopTimer)
    const ended = () => finish(code ?? name ?? 'SIGKILL', true)
    const grace = setTimeout(ended, outputGraceMs)
    child.once('close', () => {
      clearTimeout(grace)
      ended()
    })
  })
  return promise
}

function start({ command, parameters = [], environment, folder }: ProgramOptions): ChildProcessWithoutNullStreams {
  const settings = {
    env: { ...process.env, ...environment },
    cwd: folder,
    detached: !windows,
    stdio: ['pipe', 'pipe', 'pipe'],
  } satisfies Parameters<typeof spawn>[2]
  if (typeof command !== 'string') return spawn(command[0], [...command.slice(1), ...parameters], settings)
  if (windows) return spawn(command, [...parameters], { ...settings, shell: true })
  return spawn('/bin/sh', ['-c', command, 'sh', ...parameters], settings)
}
