import { defaultHookTimeoutMs } from '../../hooks/run-hook.ts'
import { type HookConfig, hookOperations } from '../config.ts'
import { commandOf } from '../schema/command-schema.ts'
import type { HookInput } from '../schema/hook-schema.ts'

/** @param place of the list that it is in */
export function resolveHooks(hooks: readonly HookInput[] = [], place: string): HookConfig[] {
  return hooks.map((hook, index) => resolveHook(hook, `${place}[${index}]`))
}

function resolveHook({ before, after, command, timeout, when, onFailure }: HookInput, place: string): HookConfig {
  const common = {
    place,
    operations: operationsOf(before ?? after),
    command: commandOf(command),
    timeoutMs: timeout ?? defaultHookTimeoutMs,
  }
  if (before !== undefined) return { ...common, moment: 'before', when: 'always', onFailure: onFailure ?? 'fail' }
  return { ...common, moment: 'after', when: when ?? 'always', onFailure: 'warn' }
}

function operationsOf(said: HookInput['before']): HookConfig['operations'] {
  if (said === undefined || said === 'all') return hookOperations
  return typeof said === 'string' ? [said] : [...new Set(said)]
}
