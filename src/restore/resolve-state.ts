/** From what a person asks for to a state. Nothing is ever rounded to another state than the one named. */
import { HoldfastError } from '../errors.ts'
import { type Lsn, toLsn } from '../history/lsn.ts'
import { pauseAt } from '../history/pause.ts'
import { latestPoint, type RestorePoint } from '../history/reachable.ts'
import { commitAt, type Resolution, resolveLsn, resolveTime } from '../history/resolve-time.ts'
import { acknowledgedSegments } from '../repository/acknowledged.ts'
import { type Catalog, findBackup } from '../repository/catalog.ts'
import type { DatabaseRepository } from '../repository/database-repository.ts'
import type { BackupManifest } from '../repository/manifest.ts'
import type { OperationOptions } from '../storage/storage.ts'
import type { RestoreTargetState } from './restore-options.ts'
import { wantedLsn } from './wanted-lsn.ts'

export interface ResolvedState {
  readonly lsn: Lsn
  /** The backup that was asked for: its very state is wanted, whatever else has the same LSN. */
  readonly backup: BackupManifest | undefined
}

/** Reads a log's commit table where a moment lies inside one. @throws BACKUP_NOT_FOUND, NOT_RESTORABLE, USAGE, INTEGRITY */
export async function resolveState(
  database: DatabaseRepository,
  catalog: Catalog,
  wanted: RestoreTargetState,
  options: OperationOptions = {},
): Promise<ResolvedState> {
  switch (wanted.by) {
    case 'latest':
      return atLsn(latest(catalog))
    case 'backup':
      return ofBackup(findBackup(catalog, wanted.id))
    case 'name': {
      const backup = named(catalog, wanted.name)
      return wanted.before === true ? atLsn(byLsn(catalog, backup.lsn, true)) : ofBackup(backup)
    }
    case 'lsn':
      return atLsn(byLsn(catalog, wanted.lsn, wanted.before === true))
    case 'time':
      return atLsn(await byTime(database, catalog, wanted.time, wanted.before === true, options))
  }
}

const ofBackup = (backup: BackupManifest): ResolvedState => ({ lsn: toLsn(backup.lsn), backup })
const atLsn = (lsn: Lsn): ResolvedState => ({ lsn, backup: undefined })

/** The newest state that a backup promises, also if its segments are gone: then the restore fails, rather than giving an older one. */
function latest(catalog: Catalog): Lsn {
  const newest = Math.max(latestPoint(acknowledgedSegments(catalog))?.lsn ?? 0, catalog.backups.at(-1)?.lsn ?? 0)
  if (newest === 0) throw nothingYet(catalog)
  return toLsn(newest)
}

function named(catalog: Catalog, name: string): BackupManifest {
  const backup = catalog.backups.find((candidate) => candidate.name === name)
  if (backup !== undefined) return backup
  const [unreadable] = catalog.problems
  if (unreadable !== undefined) {
    throw new HoldfastError(
      'INTEGRITY',
      `${catalog.database} has no readable backup named "${name}". ${unreadable.problem}`,
      { object: unreadable.key, hint: 'Take another backup, or restore by LSN or time: see "holdfast points".' },
    )
  }
  const names = catalog.backups.flatMap((candidate) => candidate.name ?? [])
  throw new HoldfastError('BACKUP_NOT_FOUND', `${catalog.database} has no backup named "${name}".`, {
    object: name,
    hint: names.length === 0 ? 'No backup of it has a name.' : `Its named backups are: ${names.join(', ')}.`,
  })
}

function byLsn(catalog: Catalog, wanted: number, before: boolean): Lsn {
  const lsn = wantedLsn(wanted)
  const promised = catalog.backups.find((backup) => backup.lsn === (before ? lsn - 1 : lsn))
  if (promised !== undefined) return toLsn(promised.lsn)
  const resolution = resolveLsn(before ? acknowledgedSegments(catalog) : catalog.segments, lsn, { before })
  if (resolution.kind === 'lsn' && resolution.lsn > 0) return resolution.lsn
  const what = before ? `no restorable state before LSN ${wanted}` : `no restorable state with LSN ${wanted}`
  throw notRestorable(catalog, `${catalog.database} has ${what}.`, resolution)
}

async function byTime(
  database: DatabaseRepository,
  catalog: Catalog,
  time: number,
  before: boolean,
  options: OperationOptions,
): Promise<Lsn> {
  const { gaps, pauses } = catalog
  const resolution = resolveTime(acknowledgedSegments(catalog), time, { before, gaps, pauses })
  const found =
    resolution.kind === 'within-log'
      ? await commitInside(database, resolution, time, before, options)
      : resolved(resolution, before)
  const promised = catalog.backups.findLast(({ capturedAt }) =>
    before ? Date.parse(capturedAt) < time : Date.parse(capturedAt) <= time,
  )
  // A backup whose segments are gone must not be passed over for the one before it.
  if (promised !== undefined && (before || Date.parse(promised.capturedAt) === time) && promised.lsn > (found ?? 0))
    return toLsn(promised.lsn)
  if (found !== undefined) return found
  const at = new Date(time).toISOString()
  const name = catalog.database
  const pause = pauseAt(pauses, time)
  if (resolution.kind === 'between' && pause !== undefined)
    throw notRestorable(
      catalog,
      `Which commit was the newest of ${name} at ${at} is not known: it was not followed then. The commits of that time, LSN ${pause.fromLsn + 1} to ${pause.toLsn}, can be restored by LSN.`,
      resolution,
    )
  if (resolution.kind === 'between')
    throw notRestorable(
      catalog,
      `What ${name} held at ${at} is not known: nothing was captured between two backups.`,
      resolution,
    )
  if (resolution.kind === 'unreachable' && resolution.before === undefined)
    throw notRestorable(catalog, `${at} is before the first state of ${name} that is known.`, resolution)
  throw notRestorable(
    catalog,
    `${at} is after the newest state of ${name} that is known; what it held then is not.`,
    resolution,
  )
}

function resolved(resolution: Exclude<Resolution, { kind: 'within-log' }>, before: boolean): Lsn | undefined {
  switch (resolution.kind) {
    case 'lsn':
      return resolution.lsn
    case 'between':
      return before ? resolution.before.lsn : undefined
    case 'unreachable':
      return before ? resolution.before?.lsn : undefined
  }
}

async function commitInside(
  database: DatabaseRepository,
  { segment, upTo }: Extract<Resolution, { kind: 'within-log' }>,
  time: number,
  before: boolean,
  options: OperationOptions,
): Promise<Lsn> {
  const reader = await database.openSegment(segment, options)
  const commit = commitAt(await Array.fromAsync(reader.commits(options)), time, upTo, { before })
  if (commit !== undefined) return commit.lsn
  throw new HoldfastError('INTEGRITY', `The log ${segment.key} has no commit of the time that its name promises.`, {
    object: segment.key,
  })
}

function notRestorable(catalog: Catalog, problem: string, near: Resolution): HoldfastError {
  const neighbours =
    near.kind === 'between' || near.kind === 'unreachable' ? near : { before: undefined, after: undefined }
  if (neighbours.before === undefined && neighbours.after === undefined) return nothingYet(catalog)
  const named = [
    ...(neighbours.before === undefined ? [] : [`before it, ${pointText(neighbours.before)}`]),
    ...(neighbours.after === undefined ? [] : [`after it, ${pointText(neighbours.after)}`]),
  ]
  return new HoldfastError('NOT_RESTORABLE', `${problem} The nearest restorable states: ${named.join('; ')}.`, {
    object: catalog.database,
    hint: `Take one of them with --lsn; see all with "holdfast points ${catalog.database}".`,
  })
}

const pointText = ({ lsn, time }: RestorePoint) => `LSN ${lsn} of ${new Date(time).toISOString()}`

function nothingYet(catalog: Catalog): HoldfastError {
  return new HoldfastError('NOT_RESTORABLE', `${catalog.database} has no backup that could be restored.`, {
    object: catalog.database,
    hint: 'Make one with "holdfast backup".',
  })
}
