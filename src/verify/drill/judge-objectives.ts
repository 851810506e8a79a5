import { formatDuration } from '../../util/format-duration.ts'
import type { DrillCheck, DrillOptions } from './drill-options.ts'

/** Whether it was fast enough, and recent enough. */
export function judgeObjectives(
  { maxRecoveryMs, maxAgeMs }: Pick<DrillOptions, 'maxRecoveryMs' | 'maxAgeMs'>,
  { recoveryMs, ageMs }: { readonly recoveryMs: number; readonly ageMs: number },
): DrillCheck[] {
  return [
    ...judge('recovery-time', 'The recovery took', recoveryMs, maxRecoveryMs),
    ...judge('age', 'The restored state is', ageMs, maxAgeMs, ' old'),
  ]
}

function judge(
  kind: DrillCheck['kind'],
  what: string,
  found: number,
  most: number | undefined,
  end = '',
): DrillCheck[] {
  if (most === undefined) return []
  const text = `${formatDuration(found)}${end}`
  return found <= most
    ? [{ kind, outcome: 'passed', detail: `${text}, of at most ${formatDuration(most)}` }]
    : [{ kind, outcome: 'failed', detail: `${what} ${text}; it may be ${formatDuration(most)}.` }]
}
