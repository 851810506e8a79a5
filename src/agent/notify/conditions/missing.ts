import { formatTime } from '../../../util/format-time.ts'
import type { VanishedDatabases } from '../../discovery/glob-watch.ts'
import { type Alert, conditionKey } from '../alert.ts'
import type { Observation } from '../engine/advance.ts'

/** @param firing alerts that are on: those of patterns of which nothing is missing any more are over */
export function observeMissing(
  vanished: readonly VanishedDatabases[],
  firing: readonly Pick<Alert, 'key' | 'kind'>[],
): readonly Observation[] {
  const present = vanished.map(({ pattern, since, reason, databases }) => {
    const [first, ...others] = databases.map(({ name }) => name)
    const names = others.length === 0 ? `${first}` : `${first} and ${others.length} more`
    const condition = {
      key: conditionKey('missing', pattern),
      kind: 'missing',
      severity: 'critical',
      summary: `${databases.length === 1 ? 'A database' : `${databases.length} databases`} of ${pattern} ${databases.length === 1 ? 'is' : 'are'} gone since ${formatTime(since)} (${names}): ${reason}.`,
      hint: 'Mount the disk, or bring them back. If they were deleted on purpose, name them under "exclude" of that entry, or change the entry.',
      details: { pattern, databases: databases.length, since: iso(since) },
    } as const
    return { what: 'present', condition } as const
  })
  const keys = new Set(present.map(({ condition }) => condition.key))
  const over = firing.filter(({ key, kind }) => kind === 'missing' && !keys.has(key))
  return [...present, ...over.map(({ key }) => ({ what: 'absent', key }) as const)]
}

function iso(time: number): string {
  return new Date(time).toISOString()
}
