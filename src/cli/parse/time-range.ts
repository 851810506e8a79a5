import { formatFullTime } from '../format/time.ts'
import { parseTime } from '../time.ts'
import { usageError } from '../usage-error.ts'

export interface TimeRangeFlags {
  readonly since?: string
  readonly until?: string
}

/** `--since` and `--until` in milliseconds since 1970. @throws USAGE for what is no time, or where the one is after the other */
export async function timeRange(
  flags: TimeRangeFlags,
  now: number,
): Promise<{ readonly since: number | undefined; readonly until: number | undefined }> {
  const since = flags.since === undefined ? undefined : await parseTime(flags.since, now)
  const until = flags.until === undefined ? undefined : await parseTime(flags.until, now)
  if (since !== undefined && until !== undefined && since > until)
    throw usageError(`--since (${formatFullTime(since)}) is after --until (${formatFullTime(until)}).`)
  return { since, until }
}
