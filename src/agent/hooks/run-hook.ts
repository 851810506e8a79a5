import { HoldfastError } from '../../errors.ts'
import { aborted, throwIfAborted } from '../../util/abort.ts'
import { type ProgramResult, programName, runProgram, unendedText } from '../../util/run-program.ts'
import { type Hook, type HookContext, hookEnvironment } from './hook.ts'

/** How a hook ended. `output` is the end of what it printed. */
export type HookResult =
  | {
      readonly verdict: 'go-on'
      readonly output: string
      readonly durationMs: number
      /** One sentence. */
      readonly warning?: string | undefined
    }
  /** Before an operation, exit status 75: not now, and that is no failure. */
  | { readonly verdict: 'skip'; readonly output: string; readonly durationMs: number; readonly reason: string }
  /** Before an operation: it must not be done, and failed. After one: a warning. */
  | { readonly verdict: 'failed'; readonly output: string; readonly durationMs: number; readonly error: HoldfastError }

export const defaultHookTimeoutMs = 60_000
const graceMs = 5000
const tailBytes = 16 * 1024
/** EX_TEMPFAIL of sysexits.h. */
const skipStatus = 75

/** Runs a hook to its end; what it started and left running ends with it, but for what became another user's. @throws ABORTED */
export async function runHook(
  hook: Hook,
  context: HookContext,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<HookResult> {
  throwIfAborted(signal)
  const who = { name: hook.place ?? programName(hook.command), subject: subject(hook, context) }
  const { timeoutMs = defaultHookTimeoutMs } = hook
  let result: ProgramResult
  try {
    const environment = hookEnvironment(context)
    result = await runProgram({ command: hook.command, environment, timeoutMs, graceMs, tailBytes, signal })
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    return failed({ output: '', durationMs: 0 }, who, `cannot be started: ${why}`, error)
  }
  if (signal?.aborted) throw aborted(signal)
  const { status, timedOut, output, durationMs } = result
  const left = unendedText(result)
  if (timedOut) return failed(result, who, `ran longer than ${timeoutMs / 1000} s${left}`)
  if (status === 0) {
    const warning = left === '' ? undefined : `${who.subject} ended well${left}.`
    return { verdict: 'go-on', output, durationMs, warning }
  }
  if (status === skipStatus && context.moment === 'before') {
    const reason = `${who.subject} asked to skip it${left}.${lastLine(output)}`
    return { verdict: 'skip', output, durationMs, reason }
  }
  return failed(result, who, `ended with ${status}${left}`)
}

function failed(
  { output, durationMs }: Pick<ProgramResult, 'output' | 'durationMs'>,
  { name, subject }: { readonly name: string; readonly subject: string },
  why: string,
  cause?: unknown,
): HookResult {
  const message = `${subject} ${why}.${lastLine(output)}`
  const hint = 'Run it by hand to see why; docs/hooks.md says what its environment and its exit status are.'
  return {
    verdict: 'failed',
    output,
    durationMs,
    error: new HoldfastError('HOOK_FAILED', message, { object: name, cause, hint }),
  }
}

/** Begins a sentence. */
function subject({ place }: Hook, { moment, operation }: HookContext): string {
  return `The hook ${moment} the ${operation}${place === undefined ? '' : ` (${place})`}`
}

/** What it said last is most often why. */
function lastLine(output: string): string {
  const line = output.split('\n').at(-1)?.trim() ?? ''
  return line === '' ? '' : ` It said: ${line.slice(0, 300)}`
}
