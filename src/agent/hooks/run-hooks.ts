import type { HookConfig } from '../config/config.ts'
import type { OperationOutcome } from '../journal/operation.ts'
import type { HookContext } from './hook.ts'
import { type HookResult, runHook } from './run-hook.ts'

/** What hooks say about an operation, all of them together. */
export interface HooksVerdict {
  /** Before an operation: whether it is to be done. A failed one of which only a warning was wanted goes on. */
  readonly verdict: HookResult['verdict']
  /** The one that decided, if it was not `go-on`. */
  readonly decisive: Exclude<HookResult, { verdict: 'go-on' }> | undefined
  /** One sentence each, of hooks that failed and changed nothing, or left behind what could not be ended. */
  readonly warnings: readonly string[]
}

/**
 * Runs the hooks that concern this moment of an operation, in order. Before it, the first that says no is the last that runs;
 * after it, all run, and none can undo it.
 * @throws ABORTED
 */
export async function runHooks(
  hooks: readonly HookConfig[],
  context: HookContext,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<HooksVerdict> {
  const warnings: string[] = []
  for (const hook of hooks.filter((each) => concerns(each, context))) {
    const result = await runHook(hook, context, options)
    if (result.verdict === 'go-on') {
      if (result.warning !== undefined) warnings.push(result.warning)
      continue
    }
    if (result.verdict === 'failed' && (context.moment === 'after' || hook.onFailure === 'warn')) {
      warnings.push(result.error.message)
      continue
    }
    return { verdict: result.verdict, decisive: result, warnings }
  }
  return { verdict: 'go-on', decisive: undefined, warnings }
}

function concerns({ moment, operations, when }: HookConfig, context: HookContext): boolean {
  if (moment !== context.moment || !operations.some((operation) => operation === context.operation)) return false
  if (moment === 'before' || when === 'always' || context.end === undefined) return true
  return (when === 'success') === isGood(context.end.outcome)
}

function isGood(outcome: OperationOutcome): boolean {
  return outcome === 'succeeded' || outcome === 'warning'
}
