import { resolve } from 'node:path'
import { parseDuration } from '../../../util/parse-duration.ts'
import { mergeSettings } from '../resolve/merge-settings.ts'
import { readSchedule } from '../resolve/read-schedule.ts'
import { scheduleInputsOf } from '../resolve/schedules.ts'
import { type DatabaseInput, databaseSchema, type SettingsInput } from '../schema/database-schema.ts'
import { isMapping, parseWhatIsRight } from '../schema/parse-what-is-right.ts'
import type { ConfigPath } from '../yaml/config-path.ts'
import { checkExpire } from './check-expire.ts'
import { checkSettings } from './check-settings.ts'
import { checkTriggers } from './check-triggers.ts'
import type { Reporter } from './reporter.ts'

/** @param folder that relative paths are in */
export function checkDatabases(
  raws: readonly unknown[],
  defaults: SettingsInput,
  rawDefaults: unknown,
  folder: string,
  report: Reporter,
): void {
  const seen = { paths: new Map<string, number>(), names: new Map<string, number>() }
  for (const [index, raw] of raws.entries()) {
    const database = isMapping(raw) ? parseWhatIsRight(databaseSchema, raw) : undefined
    if (database === undefined || !isMapping(raw)) continue
    const path: ConfigPath = ['databases', index]
    checkSettings(database, raw, path, report)
    checkWhich(raw, path, report)
    const settings = mergeSettings(defaults, database)
    checkTogether(settings, raw, path, report)
    checkExpire(settings, raw, rawDefaults, path, report)
    checkRetention([raw, rawDefaults], path, report)
    checkUnique(seen.paths, database.path && resolve(folder, database.path), [...path, 'path'], report, index)
    checkUnique(seen.names, database.name, [...path, 'name'], report, index)
  }
}

/** Told from what is written: a wrong "path" is still one. */
function checkWhich(raw: Readonly<Record<string, unknown>>, path: ConfigPath, report: Reporter): void {
  const has = (key: keyof DatabaseInput) => raw[key] !== undefined
  if (!has('path') && !has('glob')) report.value(path, 'Either "path" or "glob" must say which database it is.')
  if (has('path') && has('glob'))
    report.key([...path, 'glob'], 'A database has either a "path" or a "glob". Write two entries.')
  if (has('exclude') && !has('glob')) report.key([...path, 'exclude'], '"exclude" goes only with "glob".')
  if (has('name') && !has('path'))
    report.key([...path, 'name'], '"name" goes only with "path": a pattern may find several databases.')
}

/** What only the settings together with the defaults tell. */
function checkTogether(
  settings: SettingsInput,
  raw: Readonly<Record<string, unknown>>,
  path: ConfigPath,
  report: Reporter,
): void {
  const { schedules, follow = true } = settings
  if (follow === false && schedules?.every(({ type }) => !['full', 'incremental', 'snapshot'].includes(type)) === true)
    report.value(
      path,
      'Nothing backs up this database. Follow it, or give it a schedule of the type full, incremental or snapshot.',
    )
  checkIds(settings, path, report)
  if (follow === false) checkTriggers(settings, raw, path, report)
}

const keeping = ['last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly', 'within', 'window'] as const
const notKeeping: readonly string[] = ['maxBackups', 'timeZone', 'grace']

/** Told from what is written: what is meant by a misspelt rule keeps something too. */
function checkRetention(raws: readonly unknown[], path: ConfigPath, report: Reporter): void {
  const said = raws.map((raw) => (isMapping(raw) ? raw['retention'] : undefined))
  if (!isMapping(said[0] ?? said[1]) || said[0] === false) return
  const rules = said.filter(isMapping).flatMap(Object.entries)
  if (rules.some(([rule, value]) => !notKeeping.includes(rule) && !isZero(value))) return
  const names = keeping.map((rule) => `"${rule}"`).join(', ')
  report.value([...path, 'retention'], `This would keep nothing but the newest backup. Give at least one of ${names}.`)
}

/** `0d` too. */
function isZero(value: unknown): boolean {
  return value === 0 || (typeof value === 'string' && parseDuration(value) === 0)
}

function checkIds(settings: SettingsInput, path: ConfigPath, report: Reporter): void {
  const seen = new Set<string>()
  for (const [index, input] of scheduleInputsOf(settings).entries()) {
    const id = readSchedule(input).value?.id
    if (id === undefined) continue
    if (seen.has(id))
      report.value(
        [...path, 'schedules', index],
        `Two schedules have the id "${id}". Remove one of them, or give one an "id" of its own.`,
      )
    seen.add(id)
  }
}

function checkUnique(
  seen: Map<string, number>,
  value: string | undefined,
  path: ConfigPath,
  report: Reporter,
  index: number,
): void {
  if (value === undefined) return
  const before = seen.get(value)
  if (before === undefined) seen.set(value, index)
  else report.value(path, `databases[${before}] has the same ${path.at(-1)}.`)
}
