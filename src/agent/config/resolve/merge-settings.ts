import type { SettingsInput } from '../schema/database-schema.ts'

/**
 * What holds for a database: its own settings, and beneath them the defaults. Mappings are merged key by key (`follow`,
 * `retention`, `verify` …, `tags`); lists (`schedules`, `hooks`, `assertions`) and `compression` are taken as a whole, and so is
 * what says when something is done.
 */
export function mergeSettings(defaults: SettingsInput, own: SettingsInput): SettingsInput {
  return {
    ...defaults,
    ...defined(own),
    follow: mergeSection(defaults.follow, own.follow, (below, above) => ({
      ...below,
      ...above,
      ...(below.handOff === undefined && above.handOff === undefined
        ? {}
        : { handOff: { ...below.handOff, ...above.handOff } }),
    })),
    retention: mergeSection(defaults.retention, own.retention, overlay),
    expire: mergeSection(defaults.expire, own.expire, mergeTimed),
    compact: mergeSection(defaults.compact, own.compact, mergeTimed),
    verify: mergeSection(defaults.verify, own.verify, mergeTimed),
    drill: mergeSection(defaults.drill, own.drill, mergeTimed),
    tags: { ...defaults.tags, ...own.tags },
  }
}

type Section<T> = T | boolean | undefined

/** `true` switches a section on and leaves the rest to the defaults. */
function mergeSection<T extends object>(
  below: Section<T>,
  above: Section<T>,
  merge: (below: T, above: T) => T,
): Section<T> {
  if (above === undefined) return below
  if (above === true) return typeof below === 'object' ? below : true
  if (above === false || typeof below !== 'object') return above
  return merge(below, above)
}

function overlay<T extends object>(below: T, above: T): T {
  return { ...below, ...defined(above) }
}

/** What says when a section is due. */
export interface Timing {
  readonly every?: string | undefined
  readonly at?: string | number | undefined
  readonly cron?: string | undefined
  readonly timeZone?: string | undefined
  readonly afterCommits?: string | number | undefined
  readonly afterBytes?: string | number | undefined
  readonly quiet?: string | undefined
}

export function timingOf(section: Timing): Timing {
  const { every, at, cron, timeZone, afterCommits, afterBytes, quiet } = section
  return { every, at, cron, timeZone, afterCommits, afterBytes, quiet }
}

export function hasTiming(section: Timing): boolean {
  return Object.values(timingOf(section)).some((value) => value !== undefined)
}

function mergeTimed<T extends Timing>(below: T, above: T): T {
  return { ...below, ...defined(above), ...timingOf(hasTiming(above) ? above : below) }
}

function defined<T extends object>(settings: T): T {
  const copy = { ...settings }
  for (const [key, value] of Object.entries(copy)) if (value === undefined) Reflect.deleteProperty(copy, key)
  return copy
}
