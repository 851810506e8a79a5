import { parseDuration } from '../../util/parse-duration.ts'
import { parseSize } from '../../util/parse-size.ts'
import { nearest } from '../config/nearest.ts'
import { readCron } from './cron-run.ts'
import { nextRun } from './next-run.ts'
import { expectedAt, parseAt } from './parse-at.ts'
import type { TriggerInput } from './schedule-input.ts'
import { type Calendar, type CronTrigger, calendars, type ScheduleTrigger } from './schedule-spec.ts'
import { isTimeZone } from './zone-time.ts'

/** What is wrong with one field of what people wrote. */
export interface ScheduleProblem<Field extends string = string> {
  readonly field: Field
  /** What was expected, and what was given. */
  readonly message: string
  /** The known word that was probably meant. */
  readonly nearest?: string
}

export type TriggerField = keyof TriggerInput

export type Parsed<Value, Field extends string = string> =
  | { readonly value: Value; readonly problems?: undefined }
  | { readonly value?: undefined; readonly problems: readonly ScheduleProblem<Field>[] }

const kinds = ['every', 'cron', 'afterCommits', 'afterBytes', 'quiet'] as const
const shortest = 1000
/** A hundred years: what is longer is a mistake, and would leave the range of dates. */
const longest = 36_525 * 86_400_000

/** All problems at once, in the order of the fields. */
export function parseTrigger(input: TriggerInput): Parsed<ScheduleTrigger, TriggerField> {
  const given = kinds.filter((kind) => input[kind] !== undefined)
  const [kind, another] = given
  if (kind === undefined) return failed('every', `One of ${kinds.join(', ')} must say when.`)
  if (another !== undefined) {
    return failed(another, `Only one of ${kinds.join(', ')} can say when; "${kind}" is given already.`)
  }
  const extra = unfitting(kind, input)
  const trigger = parseKind(kind, input)
  const problems = [...(trigger.problems ?? []), ...extra]
  return problems.length === 0 ? trigger : { problems }
}

function parseKind(kind: (typeof kinds)[number], input: TriggerInput): Parsed<ScheduleTrigger, TriggerField> {
  switch (kind) {
    case 'every':
      return parseEvery(input)
    case 'cron':
      return parseCron({ on: 'cron', expression: input.cron ?? '', timeZone: input.timeZone })
    case 'quiet': {
      const forMs = durationOf(input.quiet ?? '')
      return forMs === undefined
        ? failed('quiet', `Expected a duration such as 10m, got "${input.quiet}".`)
        : { value: { on: 'quiet', forMs } }
    }
    case 'afterCommits': {
      const count = /^\d+$/.test(String(input.afterCommits)) ? Number(input.afterCommits) : 0
      return count >= 1 && Number.isSafeInteger(count)
        ? { value: { on: 'commits', count } }
        : failed('afterCommits', `Expected a whole number from 1 on, got "${input.afterCommits}".`)
    }
    case 'afterBytes': {
      const count = parseSize(String(input.afterBytes)) ?? 0
      return count >= 1 && Number.isSafeInteger(count)
        ? { value: { on: 'bytes', count } }
        : failed('afterBytes', `Expected a size such as 100MB, got "${input.afterBytes}".`)
    }
  }
}

function parseEvery({ every = '', at, timeZone }: TriggerInput): Parsed<ScheduleTrigger, TriggerField> {
  const calendar = calendars.find((name) => name === every.trim().toLowerCase())
  if (calendar !== undefined) return parseCalendar(calendar, at, timeZone)
  const everyMs = durationOf(every)
  return everyMs === undefined
    ? {
        problems: [
          meant(
            'every',
            `Expected ${calendars.join(', ')}, or a duration such as 6h, got "${every}".`,
            every,
            calendars,
          ),
        ],
      }
    : { value: { on: 'interval', everyMs } }
}

function parseCalendar(
  every: Calendar,
  at: string | number | undefined,
  timeZone: string | undefined,
): Parsed<ScheduleTrigger, TriggerField> {
  const problems: ScheduleProblem<TriggerField>[] = []
  const when = at === undefined ? {} : parseAt(every, String(at))
  if (when === undefined) problems.push({ field: 'at', message: `Expected ${expectedAt(every)}, got "${at}".` })
  problems.push(...zoneProblems(timeZone))
  if (problems.length > 0) return { problems }
  return { value: { on: 'calendar', every, ...when, ...(timeZone === undefined ? {} : { timeZone }) } }
}

function parseCron({ expression, timeZone, on }: CronTrigger): Parsed<ScheduleTrigger, TriggerField> {
  const trigger: CronTrigger = { on, expression: expression.trim(), ...(timeZone === undefined ? {} : { timeZone }) }
  const problems = zoneProblems(timeZone)
  try {
    readCron(trigger.expression)
    // Judged in a zone that exists, so that a wrong zone is not told of twice.
    if (nextRun({ on, expression: trigger.expression }, 0) === undefined)
      problems.unshift({ field: 'cron', message: `The cron expression "${expression}" never comes true.` })
  } catch (thrown) {
    const why =
      thrown instanceof Error ? thrown.message.replace(/^CronPattern: /, '').replace(/\.$/, '') : String(thrown)
    problems.unshift({ field: 'cron', message: `"${expression}" is not a cron expression: ${why}.` })
  }
  return problems.length > 0 ? { problems } : { value: trigger }
}

function zoneProblems(timeZone: string | undefined): ScheduleProblem<TriggerField>[] {
  if (timeZone === undefined || isTimeZone(timeZone)) return []
  const message = `Expected the name of a time zone such as Europe/Berlin, got "${timeZone}".`
  return [meant('timeZone', message, timeZone, Intl.supportedValuesOf('timeZone'))]
}

/** `at` and `timeZone` mean something only where a calendar is looked at. */
function unfitting(
  kind: (typeof kinds)[number],
  { every, at, timeZone }: TriggerInput,
): ScheduleProblem<TriggerField>[] {
  const byCalendar = kind === 'every' && calendars.some((name) => name === every?.trim().toLowerCase())
  const problems: ScheduleProblem<TriggerField>[] = []
  if (at !== undefined && !byCalendar)
    problems.push({ field: 'at', message: `"at" goes only with "every": ${calendars.join(', ')}.` })
  if (timeZone !== undefined && !byCalendar && kind !== 'cron')
    problems.push({
      field: 'timeZone',
      message: `"timeZone" goes only with "cron", and with "every": ${calendars.join(', ')}.`,
    })
  return problems
}

/** With its unit: a bare number could mean seconds as well as hours. */
export function durationOf(text: string): number | undefined {
  const value = /[a-z]\s*$/i.test(text) ? parseDuration(text) : undefined
  return value !== undefined && value >= shortest && value <= longest ? value : undefined
}

function meant(
  field: TriggerField,
  message: string,
  word: string,
  known: readonly string[],
): ScheduleProblem<TriggerField> {
  const near = nearest(word.trim(), known)
  return near === undefined
    ? { field, message }
    : { field, message: `${message} Did you mean ${JSON.stringify(near)}?`, nearest: near }
}

function failed<Field extends string>(field: Field, message: string): { problems: ScheduleProblem<Field>[] } {
  return { problems: [{ field, message }] }
}
