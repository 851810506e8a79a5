import { HoldfastError } from '../../../errors.ts'
import { runProgram, unendedText } from '../../../util/run-program.ts'

export interface CommandOptions {
  readonly timeoutMs: number
  readonly signal?: AbortSignal | undefined
}

/**
 * Runs a command of the user's through the shell, with the file as `$1` and in HOLDFAST_RESTORED_FILE. What it started and
 * left running ends with it.
 * @returns the end of what it printed
 * @throws CHECK_COMMAND_FAILED if it exits with anything but 0 or runs too long; ABORTED
 */
export async function runCommand(
  command: string,
  file: string,
  { timeoutMs, signal }: CommandOptions,
): Promise<{ output: string; durationMs: number }> {
  signal?.throwIfAborted()
  const environment = { HOLDFAST_RESTORED_FILE: file }
  const result = await runProgram({
    command,
    parameters: [file],
    environment,
    timeoutMs,
    signal,
  })
  const { status, timedOut, output, durationMs } = result
  signal?.throwIfAborted()
  if (status === 0 && !timedOut) return { output, durationMs }
  const how = timedOut ? `ran longer than ${timeoutMs / 1000} s` : `ended with ${status}`
  const why = `${how}${unendedText(result)}`
  const isSilent = output.trim() === ''
  const message = `The check command ${why}${isSilent ? ', and printed nothing.' : `.\n${output}`}`
  const look = isSilent ? 'Run the command by hand to see what it finds' : 'Look at what it printed'
  throw new HoldfastError('CHECK_COMMAND_FAILED', message, {
    object: command,
    hint: `The target is as it was. ${look}, or restore another state.`,
  })
}
