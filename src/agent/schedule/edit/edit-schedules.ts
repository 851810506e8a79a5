import { isDeepStrictEqual } from 'node:util'
import { isAlias, isMap, isNode, isSeq, type Node, parseDocument, stringify, type YAMLMap, type YAMLSeq } from 'yaml'
import { HoldfastError } from '../../../errors.ts'
import type { ScheduleInput } from '../schedule-input.ts'
import { columnOf, lineEndAfter, lineStartOf, newlineOf, type Splice, splice, trimmedEnd } from './text-splice.ts'

/** A configuration file with other schedules. All else in it is as it was, comments and spaces too. */
export interface EditedConfig {
  readonly text: string
  /** The database had its schedules from `defaults`, or the usual one: it has a list of its own now. */
  readonly copied: boolean
}

/** What a database has that has no schedules, so that a list of its own begins with it. */
const usual: readonly ScheduleInput[] = [{ type: 'incremental', every: 'daily' }]

/**
 * @param text of a configuration file without problems
 * @param database its place in `databases`
 * @throws USAGE if the file is written in a way in which this cannot be done
 */
export function addSchedule(text: string, database: number, schedule: ScheduleInput): EditedConfig {
  const item: unknown = JSON.parse(JSON.stringify(schedule), (_key, value: unknown) =>
    // Nothing here is meant to come from the environment.
    typeof value === 'string' ? value.replaceAll('${', () => '$${') : value,
  )
  return edit(
    text,
    database,
    (before) => [...before, item],
    (list) => added(text, list, item),
  )
}

/**
 * @param schedule its place among all that hold for the database
 * @throws USAGE as {@link addSchedule}, and if it is not in a list of schedules
 */
export function removeSchedule(text: string, database: number, schedule: number): EditedConfig {
  const without = (before: readonly unknown[]) => {
    if (schedule < before.length) return before.toSpliced(schedule, 1)
    throw new HoldfastError(
      'USAGE',
      'This schedule is not among "schedules": it follows from "expire", "compact", "verify" or "drill".',
      {
        hint: 'Change it there; false switches it off.',
      },
    )
  }
  return edit(text, database, without, (list) => removed(text, list, schedule))
}

function edit(
  text: string,
  database: number,
  change: (before: readonly unknown[]) => unknown[],
  changeOwn: (list: YAMLSeq) => readonly Splice[],
): EditedConfig {
  const document = parseDocument(text, { version: '1.2' })
  const entry = document.getIn(['databases', database], true)
  if (!isMap(entry)) throw tooIntricate()
  const own = entry.get('schedules', true)
  const from = isAlias(own) ? own.resolve(document) : (own ?? document.getIn(['defaults', 'schedules'], true))
  const before: readonly unknown[] = isSeq(from) ? from.toJS(document) : usual
  const after = change(before)
  const changes = isSeq(own) ? changeOwn(own) : [isAlias(own) ? put(own, flowList(after)) : begun(text, entry, after)]
  const edited = splice(text, ...changes)

  const wanted = document.clone()
  wanted.setIn(['databases', database, 'schedules'], after)
  const found = parseDocument(edited, { version: '1.2' })
  // Whatever was not thought of must not cost anybody the configuration.
  if (found.errors.length > 0 || !isDeepStrictEqual(found.toJS(), wanted.toJS())) throw tooIntricate()
  return { text: edited, copied: !isSeq(own) }
}

function added(text: string, list: YAMLSeq, item: unknown): Splice[] {
  const last = list.items.at(-1)
  if (!isNode(last)) return [put(list, flowList([item]))]
  if (list.flow === true) {
    const { end } = spanOf(last)
    return [{ start: end, end, text: `, ${flow(item)}` }]
  }
  const at = lineEndAfter(text, trimmedEnd(text, spanOf(last).end))
  const indent = ' '.repeat(columnOf(text, spanOf(list).start))
  return [{ start: at, end: at, text: `${newlineOf(text)}${indent}- ${flow(item)}` }]
}

function removed(text: string, list: YAMLSeq, index: number): Splice[] {
  const [before, item, after] = [list.items[index - 1], list.items[index], list.items[index + 1]]
  if (!isNode(item)) throw tooIntricate()
  const { start, end } = spanOf(item)
  if (list.flow === true) {
    if (isNode(after)) return [{ start, end: spanOf(after).start, text: '' }]
    return [isNode(before) ? { start: spanOf(before).end, end, text: '' } : put(list, '[]')]
  }
  const dash = text.lastIndexOf('-', start - 1)
  const lines = { start: lineStartOf(text, dash), end: lineEndAfter(text, trimmedEnd(text, end)), text: '' }
  // With the line break before it.
  const taken = { ...lines, start: trimmedLineBreak(text, lines.start) }
  if (list.items.length > 1) return [taken]
  // A list that is not there would mean the schedules from elsewhere.
  const colon = text.lastIndexOf('schedules:', dash) + 'schedules:'.length
  return [{ start: colon, end: colon, text: ' []' }, taken]
}

/** A list where there was none: after all else that is said of the database. */
function begun(text: string, entry: YAMLMap, items: readonly unknown[]): Splice {
  const first = entry.items[0]?.key
  const last = entry.items.at(-1)
  const end = isNode(last?.value) ? spanOf(last.value).end : undefined
  if (!isNode(first) || end === undefined) throw tooIntricate()
  const at = entry.flow === true ? end : lineEndAfter(text, trimmedEnd(text, end))
  if (entry.flow === true) return { start: at, end: at, text: `, schedules: ${flowList(items)}` }
  const indent = ' '.repeat(columnOf(text, spanOf(first).start))
  const lines = items.length === 0 ? ['schedules: []'] : ['schedules:', ...items.map((item) => `  - ${flow(item)}`)]
  return { start: at, end: at, text: lines.map((line) => newlineOf(text) + indent + line).join('') }
}

function flow(value: unknown): string {
  return stringify(value, { collectionStyle: 'flow', lineWidth: 0 }).trimEnd()
}

function flowList(items: readonly unknown[]): string {
  return `[${items.map(flow).join(', ')}]`
}

function put(node: Node, text: string): Splice {
  return { ...spanOf(node), text }
}

function spanOf({ range }: Node): { start: number; end: number } {
  if (!range) throw tooIntricate()
  return { start: range[0], end: range[1] }
}

/** The beginning of the line break before a line. */
function trimmedLineBreak(text: string, lineStart: number): number {
  return text[lineStart - 2] === '\r' ? lineStart - 2 : Math.max(0, lineStart - 1)
}

function tooIntricate(): HoldfastError {
  return new HoldfastError(
    'USAGE',
    'The configuration is written in a way in which its schedules cannot be changed from here.',
    {
      hint: 'Change them in an editor; "holdfast config check" judges the result.',
    },
  )
}
