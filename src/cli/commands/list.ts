import type { Window } from '../../history/windows.ts'
import type { Catalog } from '../../repository/catalog.ts'
import type { DatabaseRepository } from '../../repository/database-repository.ts'
import type { Repository } from '../../repository/repository.ts'
import type { ResultData } from '../json/schemas.ts'
import { isoTime } from '../json/to-json.ts'
import { listedText } from '../present/list.ts'
import { type AddCommand, examples } from '../program.ts'
import { type Outcome, openRepository, type Session } from '../session.ts'

export const addList: AddCommand = (program, run) => {
  program
    .command('list')
    .summary('list backups')
    .description('Lists the backups of all databases, or of those that are named, oldest first.')
    .argument('[database...]', 'names in the repository, or paths')
    .addHelpText(
      'after',
      examples([
        ['holdfast list', 'everything in the repository'],
        ['holdfast list app', 'the backups of one database'],
        ["holdfast list app --json | jq -r '.databases[].backups[].id'", 'ids, for scripts'],
      ]),
    )
    .action((names: string[], _flags, command) => run(command, 'list', (session) => list(session, names)))
}

type Listed = ResultData<'list'>['databases'][number]

async function list(session: Session, names: readonly string[]): Promise<Outcome<'list'>> {
  await using repository = await openRepository(session)
  const databases: Listed[] = []
  for (const database of await chosenDatabases(repository, names, session.signal)) {
    const catalog = await database.catalog({ signal: session.signal })
    warnOfProblems(session, catalog)
    databases.push(await describe(session, database, catalog))
  }
  return {
    data: { repository: repository.url, databases },
    text: databases.length === 0 ? `No backups yet in ${repository.url}.` : databases.map(listedText).join('\n\n'),
  }
}

/** Those that are named, each once; without names, all. */
export async function chosenDatabases(
  repository: Repository,
  names: readonly string[],
  signal: AbortSignal,
): Promise<DatabaseRepository[]> {
  const chosen = new Map<string, DatabaseRepository>()
  if (names.length === 0) {
    for (const name of await repository.databaseNames({ signal })) chosen.set(name, repository.database(name))
  }
  for (const name of names) {
    const database = await repository.findDatabase(name, { signal })
    chosen.set(database.name, database)
  }
  return [...chosen.values()]
}

export function warnOfProblems({ output }: Session, catalog: Catalog): void {
  for (const { key, problem } of catalog.problems) output.warn(problem, key)
}

async function describe(session: Session, database: DatabaseRepository, catalog: Catalog): Promise<Listed> {
  const { signal } = session
  const now = session.now()
  const [{ chainOf, verifiedOf }, { drilledOf, lastDrillOf }, { readDrills }, { readLedger }] = await Promise.all([
    import('../verified.ts'),
    import('../drilled.ts'),
    import('../../repository/drill-record.ts'),
    import('../../repository/verification-ledger.ts'),
  ])
  const [record, ledger, drills] = await Promise.all([
    database.record({ signal }),
    readLedger(database, { signal }),
    readDrills(database, { signal, now }),
  ])
  const there = new Set(catalog.backups.map(({ id }) => id))
  return {
    name: database.name,
    location: record?.location ?? null,
    backups: catalog.backups.map((backup) => ({
      ...backup,
      verified: verifiedOf(ledger, backup, chainOf(catalog, backup), now),
      drilled: drilledOf(drills, backup.id),
      parentGone: backup.parent !== null && !there.has(backup.parent),
    })),
    ...(await followedStates(catalog)),
    lastDrill: lastDrillOf(drills),
    problems: [...catalog.problems],
  }
}

async function followedStates(catalog: Catalog): Promise<Pick<Listed, 'followed' | 'singleStates'>> {
  const [{ restorableWindows }, { acknowledgedSegments }] = await Promise.all([
    import('../../history/windows.ts'),
    import('../../repository/acknowledged.ts'),
  ])
  const { windows } = restorableWindows(acknowledgedSegments(catalog), catalog.gaps)
  const followed = windows.filter(({ kind }) => kind === 'continuous')
  const backedUp = new Set(catalog.backups.map(({ lsn }) => lsn))
  const seen = new Set(catalog.gaps.map(({ toLsn }) => toLsn))
  const single = windows.filter(({ kind, toLsn }) => kind === 'point' && seen.has(toLsn) && !backedUp.has(toLsn))
  const range = rangeOf(followed.at(-1), followed.at(-1))
  const states = rangeOf(single[0], single.at(-1))
  return {
    followed: range === null ? null : { ...range, earlierWindows: followed.length - 1 },
    singleStates: states === null ? null : { ...states, count: single.length },
  }
}

function rangeOf(first: Window | undefined, last: Window | undefined) {
  if (first === undefined || last === undefined) return null
  const { fromLsn, fromTime } = first
  const { toLsn, toTime } = last
  return { fromLsn, toLsn, fromTime: isoTime(fromTime), toTime: isoTime(toTime) }
}
