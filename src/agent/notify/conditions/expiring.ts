import { formatDuration } from '../../../util/format-duration.ts'
import { formatTime } from '../../../util/format-time.ts'
import { conditionKey } from '../alert.ts'
import type { Observation } from '../engine/advance.ts'

const warnMs = 14 * 24 * 3_600_000

/** @param endsAt until when the certificate of the server is valid; it and `now` are milliseconds since 1970 */
export function observeExpiring(server: string, endsAt: number, now: number): readonly Observation[] {
  const key = expiringKey(server)
  const leftMs = endsAt - now
  if (leftMs >= warnMs) return [{ what: 'absent', key }]
  const until = new Date(endsAt).toISOString()
  const end = leftMs > 0 ? `ends in ${formatDuration(leftMs)}` : `ended ${formatDuration(-leftMs)} ago`
  const condition = {
    key,
    kind: 'expiring',
    severity: 'warning',
    summary: `The certificate of ${server} ${end}, at ${formatTime(endsAt)}: then nobody is notified through it any more.`,
    hint: 'Have it renewed by whoever runs that server.',
    details: { server, until, leftMs },
  } as const
  return [{ what: 'present', condition }]
}

export function expiringKey(server: string): string {
  return conditionKey('expiring', server)
}
