import { formatTime } from '../../../util/format-time.ts'
import type { TroubledDatabase } from '../../discovery/discover.ts'
import type { VanishedDatabases } from '../../discovery/glob-watch.ts'
import { type Alert, conditionKey } from '../alert.ts'
import type { Observation } from '../engine/advance.ts'
import { repositoryKey } from './repository.ts'

/**
 * @param firing alerts that are on: those of patterns of which nothing is missing any more are over
 * @param troubled databases of patterns that are there, and not as before
 */
export function observeMissing(
  vanished: readonly VanishedDatabases[],
  firing: readonly Pick<Alert, 'key' | 'kind'>[],
  troubled: readonly TroubledDatabase[] = [],
): readonly Observation[] {
  const gone = vanished.map(({ pattern, since, reason, databases }) => {
    const names = namesOf(databases)
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
  const present = [...gone, ...observeTroubled(troubled)]
  const keys = new Set(present.map(({ condition }) => condition.key))
  const over = firing.filter(({ key, kind }) => kind === 'missing' && key !== repositoryKey && !keys.has(key))
  return [...present, ...over.map(({ key }) => ({ what: 'absent', key }) as const)]
}

/** One alert for each pattern: what keeps one from being read may well keep all. */
function observeTroubled(troubled: readonly TroubledDatabase[]) {
  const byPattern = Map.groupBy(troubled, ({ pattern = '' }) => pattern)
  return [...byPattern].map(([pattern, databases]) => {
    const [first] = databases
    const condition = {
      key: conditionKey('missing', pattern, 'changed'),
      kind: 'missing',
      severity: 'critical',
      summary: `${databases.length === 1 ? 'A database' : `${databases.length} databases`} of ${pattern} ${databases.length === 1 ? 'is' : 'are'} not as before (${namesOf(databases)}): ${first?.trouble}.`,
      hint: 'Put that right; a backup of before can be restored. If it is so on purpose, name them under "exclude" of that entry, or delete them.',
      details: { pattern, databases: databases.length },
    } as const
    return { what: 'present', condition } as const
  })
}

function namesOf(databases: readonly { readonly name: string }[]): string {
  const [first, ...others] = databases.map(({ name }) => name)
  return others.length === 0 ? `${first}` : `${first} and ${others.length} more`
}

function iso(time: number): string {
  return new Date(time).toISOString()
}
