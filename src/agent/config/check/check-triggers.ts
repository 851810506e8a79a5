import { scheduleInputsOf, timedSections } from '../resolve/schedules.ts'
import type { SettingsInput } from '../schema/database-schema.ts'
import { isMapping } from '../schema/parse-what-is-right.ts'
import type { ConfigPath } from '../yaml/config-path.ts'
import { elementsOf } from './check-settings.ts'
import type { Reporter } from './reporter.ts'

/** Whatever these wait for, only following tells. */
const byCommits = ['afterCommits', 'afterBytes', 'quiet'] as const

const never = 'would never be due: with "follow: false", nothing notices commits.'

/**
 * Schedules that never come round, of a database that is not followed. Told where they are said or, if that is in `defaults`, of the database.
 * @param settings with the defaults
 * @param raw as the file has it, without them
 */
export function checkTriggers(
  settings: SettingsInput,
  raw: Readonly<Record<string, unknown>>,
  path: ConfigPath,
  report: Reporter,
): void {
  const own: (readonly [ConfigPath, unknown])[] = [
    ...elementsOf(raw, 'schedules').map((said, index) => [['schedules', index], said] as const),
    ...timedSections.map((section) => [[section], raw[section]] as const),
  ]
  for (const [place, said] of own) {
    const key = keyOf(said)
    if (key !== undefined)
      report.value(
        [...path, ...place, key],
        `This ${never} Follow the database, or say when by the clock, with "every" or "cron".`,
      )
  }
  const inherited = inheritedKey(settings, raw)
  if (inherited !== undefined)
    report.value(
      raw['follow'] === undefined ? path : [...path, 'follow'],
      `"${inherited}" in "defaults" ${never} Follow this database, or give it schedules of its own.`,
    )
}

function inheritedKey(settings: SettingsInput, raw: Readonly<Record<string, unknown>>): string | undefined {
  const listed = settings.schedules?.length ?? 0
  const inherited = scheduleInputsOf(settings).filter(({ type }, index) =>
    index < listed ? raw['schedules'] === undefined : keyOf(raw[type]) === undefined,
  )
  return inherited.map(keyOf).find((key) => key !== undefined)
}

function keyOf(said: unknown): string | undefined {
  return isMapping(said) ? byCommits.find((key) => said[key] !== undefined) : undefined
}
