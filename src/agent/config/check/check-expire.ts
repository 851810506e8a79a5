import { scheduleInputsOf } from '../resolve/schedules.ts'
import type { SettingsInput } from '../schema/database-schema.ts'
import { isMapping } from '../schema/parse-what-is-right.ts'
import type { ConfigPath } from '../yaml/config-path.ts'
import { elementsOf } from './check-settings.ts'
import type { Reporter } from './reporter.ts'

type Raw = Readonly<Record<string, unknown>>

/**
 * Expiry of a database for which nothing says what to keep: each run of it would fail. Told where it is said or, if that is in `defaults`,
 * of the database.
 * @param settings with the defaults
 * @param raw as the file has it, without them
 */
export function checkExpire(
  settings: SettingsInput,
  raw: Raw,
  rawDefaults: unknown,
  path: ConfigPath,
  report: Reporter,
): void {
  const inherited = isMapping(rawDefaults) ? rawDefaults['retention'] : undefined
  // Told from what is written: a wrong policy is one.
  const retention = raw['retention'] ?? inherited
  if (retention !== undefined && retention !== false) return
  if (!scheduleInputsOf(settings).some(({ type }) => type === 'expire')) return
  const places = ownPlaces(raw)
  for (const place of places)
    report.value(
      [...path, ...place],
      'Nothing could expire: this needs a "retention", which says what to keep. Give one, or take this out.',
    )
  if (places.length === 0)
    report.value(
      raw['retention'] === undefined ? path : [...path, 'retention'],
      'What "defaults" say of "expire" needs a "retention", which says what to keep. Give this database one, or switch "expire" off for it.',
    )
}

function ownPlaces(raw: Raw): ConfigPath[] {
  const listed = elementsOf(raw, 'schedules').flatMap((schedule, index) =>
    isMapping(schedule) && schedule['type'] === 'expire' ? [['schedules', index, 'type']] : [],
  )
  const section = raw['expire']
  return [...listed, ...(section === undefined || section === false ? [] : [['expire']])]
}
