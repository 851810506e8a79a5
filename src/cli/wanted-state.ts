/** The options that say which state is wanted; `estimate` and `restore` share them. */
import { type Command, Option } from 'commander'
import type { RestoreTargetState } from '../restore/restore-options.ts'
import { shellWord } from './format/text.ts'
import { formatFullTime } from './format/time.ts'
import type { Wanted } from './json/schemas.ts'
import { isoTime } from './json/to-json.ts'
import { wholeNumber } from './parse/option-values.ts'
import { parseTime } from './time.ts'
import { usageError } from './usage-error.ts'

export interface StateFlags {
  readonly latest?: true
  readonly at?: string
  readonly lsn?: number
  readonly backup?: string
  readonly name?: string
  readonly before?: true
}

export function addStateOptions(command: Command): Command {
  return command
    .optionsGroup('Which state (one of these):')
    .option('--latest', 'the newest')
    .option('--at <time>', 'as it was at a time: "2026-01-31 14:00", -2h, "yesterday 14:00" …')
    .addOption(
      new Option('--lsn <number>', 'by its number in the history').argParser(wholeNumber(1, Number.MAX_SAFE_INTEGER)),
    )
    .option('--backup <id>', 'that of a backup; the beginning of its id is enough')
    .option('--name <name>', 'that of a named backup or snapshot')
    .option('--before', 'with --at, --lsn or --name: the last state before it')
}

/** @throws USAGE unless exactly one state is named */
export async function wantedState(flags: StateFlags, now: number): Promise<RestoreTargetState> {
  const { latest, at, lsn, backup, name, before } = flags
  const given = [latest, at, lsn, backup, name].filter((value) => value !== undefined)
  const choices = '--latest, --at TIME, --lsn NUMBER, --backup ID or --name NAME'
  if (given.length === 0) throw usageError('Say which state to restore.', `Give one of ${choices}.`)
  if (given.length > 1) throw usageError('More than one state is named.', `Give only one of ${choices}.`)
  if (before === true && at === undefined && lsn === undefined && name === undefined)
    throw usageError('--before goes with --at, --lsn or --name.')
  if (at !== undefined) return { by: 'time', time: await pastTime(at, now), before }
  if (lsn !== undefined) return { by: 'lsn', lsn, before }
  if (backup !== undefined) return { by: 'backup', id: backup }
  if (name !== undefined) return { by: 'name', name, before }
  return { by: 'latest' }
}

/** @throws USAGE for a time that is yet to come: it is surely not what was meant */
async function pastTime(text: string, now: number): Promise<number> {
  const time = await parseTime(text, now)
  if (time <= now) return time
  throw usageError(
    `"${text}" is ${formatFullTime(time)}, which is still to come.`,
    'Give a time in the past, or take the newest state with --latest.',
    text,
  )
}

export function wantedData(state: RestoreTargetState): Wanted {
  switch (state.by) {
    case 'latest':
      return { by: 'latest', value: null, before: false }
    case 'backup':
      return { by: 'backup', value: state.id, before: false }
    case 'name':
      return { by: 'name', value: state.name, before: state.before === true }
    case 'lsn':
      return { by: 'lsn', value: String(state.lsn), before: state.before === true }
    case 'time':
      return { by: 'time', value: isoTime(state.time), before: state.before === true }
  }
}

/** What was understood, to be echoed: a time in full, above all. */
export function wantedText(state: RestoreTargetState): string {
  switch (state.by) {
    case 'latest':
      return 'the newest state'
    case 'backup':
      return `the state of backup ${state.id}`
    case 'name':
      return state.before === true
        ? `the last state before the one named "${state.name}"`
        : `the state named "${state.name}"`
    case 'lsn':
      return state.before === true ? `the last state before LSN ${state.lsn}` : `the state with LSN ${state.lsn}`
    case 'time':
      return state.before === true
        ? `the last state before ${formatFullTime(state.time)}`
        : `the state at ${formatFullTime(state.time)}`
  }
}

export function commandLine(words: readonly string[]): string {
  return words.map(shellWord).join(' ')
}
