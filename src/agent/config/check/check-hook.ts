import type { HookInput } from '../schema/hook-schema.ts'
import type { ConfigPath } from '../yaml/config-path.ts'
import type { Reporter } from './reporter.ts'

export function checkHook({ before, after, when, onFailure }: HookInput, path: ConfigPath, report: Reporter): void {
  if (before === undefined && after === undefined)
    report.value(path, 'Either "before" or "after" must say around which operations the command runs.')
  if (before !== undefined && after !== undefined)
    report.key([...path, 'after'], 'A hook runs either "before" or "after". For both, write two hooks.')
  if (before !== undefined && when !== undefined)
    report.key([...path, 'when'], '"when" goes only with "after": before an operation nobody knows how it will end.')
  if (after !== undefined && before === undefined && onFailure !== undefined)
    report.key([...path, 'onFailure'], '"onFailure" goes only with "before": what is done cannot fail any more.')
}
