import type { RestorePoints } from '../../restore/restore-points.ts'
import { formatFullTime } from '../format/time.ts'
import type { ResultData } from '../json/schemas.ts'
import { isoTime } from '../json/to-json.ts'
import { pointsText } from '../present/points.ts'
import { type AddCommand, examples } from '../program.ts'
import { type Outcome, openRepository, type Session } from '../session.ts'
import { parseTime } from '../time.ts'
import { usageError } from '../usage-error.ts'

interface PointsFlags {
  readonly from?: string
  readonly to?: string
}

export const addPoints: AddCommand = (program, run) => {
  program
    .command('points')
    .summary('show what can be restored')
    .description(
      'Shows the states and times that a database can be restored to, and the gaps between them with their reasons.',
    )
    .argument('<database>', 'name in the repository, or path')
    .option('--from <time>', 'not before this time; what only reaches beyond it is shown whole')
    .option('--to <time>', 'not after this time; likewise')
    .addHelpText(
      'after',
      examples([
        ['holdfast points app', 'everything'],
        ['holdfast points app --from "yesterday 14:00" --to now', 'in a time range'],
      ]),
    )
    .action((name: string, flags: PointsFlags, command) =>
      run(command, 'points', (session) => points(session, name, flags)),
    )
}

async function points(session: Session, name: string, flags: PointsFlags): Promise<Outcome<'points'>> {
  const { signal, output } = session
  const now = session.now()
  const from = flags.from === undefined ? undefined : await parseTime(flags.from, now)
  const to = flags.to === undefined ? undefined : await parseTime(flags.to, now)
  if (from !== undefined && to !== undefined && from > to) {
    throw usageError(`--from (${formatFullTime(from)}) is after --to (${formatFullTime(to)}).`)
  }
  await using repository = await openRepository(session)
  const database = await repository.findDatabase(name, { signal })
  const bounds = [
    from === undefined ? '' : `from ${formatFullTime(from)}`,
    to === undefined ? '' : `to ${formatFullTime(to)}`,
  ]
  const range = bounds.filter((bound) => bound !== '').join(' ')
  if (range !== '') output.note(`${database.name}, ${range}:`)
  const { listRestorePoints } = await import('../../restore/restore-points.ts')
  const found = await listRestorePoints(database, { from, to, signal })
  return { data: describe(database.name, from, to, found), text: pointsText(database.name, found) }
}

function describe(
  database: string,
  from: number | undefined,
  to: number | undefined,
  found: RestorePoints,
): ResultData<'points'> {
  const times = ({ fromTime, toTime }: { fromTime: number; toTime: number }) => ({
    fromTime: isoTime(fromTime),
    toTime: isoTime(toTime),
  })
  return {
    database,
    from: from === undefined ? null : isoTime(from),
    to: to === undefined ? null : isoTime(to),
    points: found.points.map(({ lsn, time, backups }) => ({
      lsn,
      time: isoTime(time),
      backups: backups.map(({ id }) => id),
    })),
    windows: found.windows.map(({ kind, fromLsn, toLsn, ...window }) => ({ kind, fromLsn, toLsn, ...times(window) })),
    pauses: found.pauses.map(({ fromLsn, toLsn, ...pause }) => ({ fromLsn, toLsn, ...times(pause) })),
    gaps: found.gaps.map(({ fromLsn, toLsn, reason, ...gap }) => ({ fromLsn, toLsn, reason, ...times(gap) })),
  }
}
