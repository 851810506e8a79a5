import { toHoldfastError } from '../../errors.ts'
import { formatDuration } from '../../util/format-duration.ts'
import { runProgram, unendedText } from '../../util/run-program.ts'
import type { DrillCheck, DrillOptions } from './drill-options.ts'

export interface CheckCommand {
  readonly command: NonNullable<DrillOptions['command']>
  readonly file: string
  readonly environment: Readonly<Record<string, string>>
  readonly timeLimitMs: number
  readonly signal?: AbortSignal | undefined
}

/** The shell's own: the command was found, but cannot be run; it was not found. */
const cannotRun: readonly (number | string)[] = [126, 127]

/** What the user's own command says of the restored file. @throws ABORTED */
export async function runCheckCommand({
  command,
  file,
  environment,
  timeLimitMs: timeoutMs,
  signal,
}: CheckCommand): Promise<DrillCheck> {
  signal?.throwIfAborted()
  const ended = await start({ command, parameters: [file], environment, timeoutMs, signal })
  signal?.throwIfAborted()
  if ('unstartable' in ended) return { kind: 'command', outcome: 'inconclusive', detail: ended.unstartable }
  const { status, timedOut, output, durationMs } = ended
  const said = output === '' ? '' : `\n${output}`
  const check = (outcome: DrillCheck['outcome'], detail: string): DrillCheck => {
    return { kind: 'command', outcome, detail, durationMs }
  }
  if (timedOut)
    return check(
      'inconclusive',
      `The command ran longer than ${formatDuration(timeoutMs)}${unendedText(ended)}.${said}`,
    )
  if (status === 0) return check('passed', output === '' ? 'the command succeeded' : output)
  if (cannotRun.includes(status)) return check('inconclusive', `The command could not be run.${said}`)
  return check('failed', `The command ended with ${status}.${said}`)
}

async function start(options: Parameters<typeof runProgram>[0]) {
  try {
    return await runProgram(options)
  } catch (error) {
    return { unstartable: `The command could not be started: ${toHoldfastError(error).message}` }
  }
}
