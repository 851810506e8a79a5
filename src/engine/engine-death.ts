import { HoldfastError } from '../errors.ts'
import { formatDuration } from '../util/format-duration.ts'

/** How a process ended: with an exit code, or by a signal. */
export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

const again = 'Nothing half-made is visible; run it again.'

export function engineDied(pid: number | undefined, { code, signal }: Exit, lastWords: string): HoldfastError {
  const how = signal === null ? `it exited with code ${code}` : `it was killed by ${signal}`
  const hint =
    signal === 'SIGKILL' || signal === 'SIGABRT'
      ? `The system may have run out of memory, or somebody ended the process. ${again}`
      : `${lastWords === '' ? '' : 'Its last words are the cause of this error. '}${again}`
  return new HoldfastError('ENGINE_DIED', `The engine process ended before it answered: ${how}.`, {
    object: pid === undefined ? undefined : `process ${pid}`,
    hint,
    cause: lastWords === '' ? undefined : new Error(lastWords),
  })
}

/** @param silentMs for how long it had given no sign of life */
export function engineHung(pid: number | undefined, silentMs: number): HoldfastError {
  const message = `The engine process gave no sign of life for ${formatDuration(silentMs)} and was ended.`
  return new HoldfastError('ENGINE_DIED', message, {
    object: pid === undefined ? undefined : `process ${pid}`,
    hint: `Somebody may have stopped it, or it waits for a network file system or a failing disk. ${again}`,
  })
}

export function engineNotEnded(pid: number | undefined): HoldfastError {
  return new HoldfastError('ENGINE_DIED', 'The engine process was told to end, but the system cannot end it.', {
    object: pid === undefined ? undefined : `process ${pid}`,
    hint: `It waits for a network file system or a disk that does not answer: see to that first. ${again}`,
  })
}

export function engineNotStarted(cause: unknown): HoldfastError {
  return new HoldfastError('ENGINE_DIED', 'The engine process could not be started.', {
    cause,
    hint: 'Holdfast runs its engine as a child process of Node.js: check that this process may start one.',
  })
}

export function engineOfOtherVersion(engine: string, host: string): HoldfastError {
  return new HoldfastError('ENGINE_DIED', `The engine is Holdfast ${engine}, but this process has loaded ${host}.`, {
    hint: 'The package was changed while this process runs: restart it.',
  })
}
