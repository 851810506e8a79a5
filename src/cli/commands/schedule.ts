import { Option } from 'commander'
import { type ScheduleAction, scheduleActions } from '../../agent/schedule/schedule-spec.ts'
import { tag } from '../parse/option-values.ts'
import { type AddCommand, examples } from '../program.ts'

/** The fields of a schedule in the configuration, as options. */
export interface ScheduleFlags {
  readonly type: ScheduleAction
  readonly id?: string
  readonly every?: string
  readonly at?: string
  readonly cron?: string
  readonly timeZone?: string
  readonly afterCommits?: string
  readonly afterBytes?: string
  readonly quiet?: string
  readonly jitter?: string
  readonly tag?: Readonly<Record<string, string>>
}

export const addSchedule: AddCommand = (program, run) => {
  const schedule = program
    .command('schedule')
    .summary('list, change or run what the agent does on schedule')
    .description(
      'Works on the schedules in the configuration of the agent (holdfast.yaml in this folder, or --config). docs/schedules.md describes them.',
    )
    .addHelpText(
      'after',
      examples([
        ['holdfast schedule list', 'what is done when'],
        ['holdfast schedule add app --type full --every weekly --at "sunday 02:30"', 'one more'],
        ['holdfast schedule run app incremental-daily', 'do it now'],
      ]),
    )

  schedule
    .command('list')
    .summary('what is done when, and what was')
    .description('Lists the schedules of every database, with their last runs and when they are due next.')
    .argument('[database...]', 'names in the repository, or paths; default: all')
    .addHelpText(
      'after',
      examples([
        ['holdfast schedule list', 'of all databases'],
        ["holdfast schedule list app --json | jq -r '.schedules[].id'", 'ids, for scripts'],
      ]),
    )
    .action((names: string[], _flags, command) =>
      run(command, 'schedule list', async (session) => {
        const { listSchedules } = await import('../schedule/list-schedules.ts')
        return await listSchedules(session, names)
      }),
    )

  schedule
    .command('add')
    .summary('write one more into the configuration')
    .description(
      'Adds a schedule to a database in the configuration file, which otherwise stays as it is. A running agent takes it up.',
    )
    .argument('<database>', 'name, path or pattern, as in the configuration')
    .addOption(new Option('-t, --type <type>', 'what to do').choices(scheduleActions).makeOptionMandatory())
    .optionsGroup('When (one of them):')
    .option('--every <period>', 'hourly, daily, weekly, monthly, yearly, or a duration such as 6h')
    .option('--cron <expression>', 'five fields, or six with seconds first')
    .option('--after-commits <number>', 'so many commits after the last run that was due')
    .option('--after-bytes <size>', 'so much change after the last run that was due, such as 100MB')
    .option('--quiet-for <duration>', 'when something was committed, and then nothing for so long')
    .optionsGroup('More of it:')
    .option('--at <time>', 'with --every: 02:30, "sunday 02:30", "15 02:30", "last 02:30", "12-31 02:30", ":30"')
    .option('--time-zone <name>', 'with --every or --cron: IANA name such as Europe/Berlin')
    .option('--jitter <duration>', 'start at a random moment up to so long after it is due')
    .option('--id <id>', 'unique within the database; default: made from what it does, and when')
    .option('--tag <key=value>', 'note something on its backups; may be repeated', tag)
    .addHelpText(
      'after',
      examples([
        ['holdfast schedule add app --type full --every weekly --at "sunday 02:30"', 'by the calendar'],
        ['holdfast schedule add app --type incremental --after-commits 10000', 'by what was committed'],
        ['holdfast schedule add data/app.db --type verify --cron "0 4 * * 1-5"', 'on weekdays'],
      ]),
    )
    .action((database: string, { quietFor, ...flags }: ScheduleFlags & { quietFor?: string }, command) =>
      run(command, 'schedule add', async (session) => {
        const { addToConfig } = await import('../schedule/change-schedules.ts')
        return await addToConfig(session, database, quietFor === undefined ? flags : { ...flags, quiet: quietFor })
      }),
    )

  schedule
    .command('remove')
    .summary('take one out of the configuration')
    .description(
      'Removes a schedule of a database from the configuration file, which otherwise stays as it is. A running agent forgets it.',
    )
    .argument('<database>', 'name, path or pattern, as in the configuration')
    .argument('<id>', 'of the schedule; "holdfast schedule list" shows it')
    .addHelpText(
      'after',
      examples([
        ['holdfast schedule remove app incremental-daily', 'no daily backup any more'],
        ['holdfast schedule remove app nightly --config /etc/holdfast.yaml', 'in another file'],
      ]),
    )
    .action((database: string, id: string, _flags, command) =>
      run(command, 'schedule remove', async (session) => {
        const { removeFromConfig } = await import('../schedule/change-schedules.ts')
        return await removeFromConfig(session, database, id)
      }),
    )

  schedule
    .command('run')
    .summary('do now what one says')
    .description(
      'Runs a schedule of a database now: by the running agent, or, if none runs, by this command. When it is due next does not change, nor what it has counted of commits or bytes; only what is due already is done with.',
    )
    .argument('<database>', 'name in the repository, or path; or URL of a mirror, as "holdfast schedule list" shows it')
    .argument('<id>', 'of the schedule; "holdfast schedule list" shows it')
    .addHelpText(
      'after',
      examples([
        ['holdfast schedule run app incremental-daily', 'a backup, now'],
        ['holdfast schedule run app verify-weekly --json', 'for programs'],
      ]),
    )
    .action((database: string, id: string, _flags, command) =>
      run(command, 'schedule run', async (session) => {
        const { runSchedule } = await import('../schedule/run-schedule.ts')
        return await runSchedule(session, database, id)
      }),
    )
}
