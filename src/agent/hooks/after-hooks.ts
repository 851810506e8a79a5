import type { HookConfig } from '../config/config.ts'
import type { OperationEnd } from '../journal/operation.ts'
import type { HookContext } from './hook.ts'
import { runHooks } from './run-hooks.ts'

export interface EndToTell {
  readonly hooks: readonly HookConfig[]
  readonly asked: Omit<HookContext, 'moment' | 'end'>
  readonly durationMs: number
}

/**
 * Runs the hooks after an operation, also one that was called off: what a hook before it began is for one after it to end. They cannot undo
 * anything: what they say are warnings, which this returns.
 */
export async function afterHooks(
  end: OperationEnd,
  { hooks, asked, durationMs }: EndToTell,
): Promise<readonly string[]> {
  const { outcome, code, message, backupId } = end
  const told = { outcome, code, message, backupId, durationMs }
  return (await runHooks(hooks, { ...asked, moment: 'after', end: told })).warnings
}
