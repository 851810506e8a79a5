/** From what a person asks for to an LSN. Nothing is ever rounded to another state than the one named. */
import { HoldfastError } from '../errors.ts'
import { type Lsn, toLsn } from '../history/lsn.ts'
import { latestPoint, type RestorePoint } from '../history/reachable.ts'
import { type Resolution, resolveLsn, resolveTime } from '../history/resolve-time.ts'
import { acknowledgedSegments } from '../repository/acknowledged.ts'
import { type Catalog, findBackup } from '../repository/catalog.ts'
import type { BackupManifest } from '../repository/manifest.ts'
import type { RestoreTargetState } from './restore-options.ts'

/** @throws BACKUP_NOT_FOUND, NOT_RESTORABLE, USAGE */
export function resolveState(catalog: Catalog, wanted: RestoreTargetState): Lsn {
  switch (wanted.by) {
    case 'latest':
      return latest(catalog)
    case 'backup':
      return toLsn(findBackup(catalog, wanted.id).lsn)
    case 'name':
      return toLsn(named(catalog, wanted.name).lsn)
    case 'lsn':
      return byLsn(catalog, wanted.lsn, wanted.before === true)
    case 'time':
      return byTime(catalog, wanted.time, wanted.before === true)
  }
}

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
  if (!Number.isSafeInteger(wanted) || wanted < 1) {
    throw new HoldfastError('USAGE', `An LSN is a whole number from 1 on, not ${wanted}.`)
  }
  const promised = catalog.backups.find(({ lsn }) => lsn === (before ? wanted - 1 : wanted))
  if (promised !== undefined) return toLsn(promised.lsn)
  const resolution = resolveLsn(before ? acknowledgedSegments(catalog) : catalog.segments, toLsn(wanted), { before })
  if (resolution.kind === 'lsn' && resolution.lsn > 0) return resolution.lsn
  const what = before ? `no restorable state right before LSN ${wanted}` : `no restorable state with LSN ${wanted}`
  throw notRestorable(catalog, `${catalog.database} has ${what}.`, resolution)
}

function byTime(catalog: Catalog, time: number, before: boolean): Lsn {
  const resolution = resolveTime(acknowledgedSegments(catalog), time, { before })
  const found = resolved(resolution, before)
  const promised = catalog.backups.findLast(({ capturedAt }) =>
    before ? Date.parse(capturedAt) < time : Date.parse(capturedAt) <= time,
  )
  // A backup whose segments are gone must not be passed over for the one before it.
  if (promised !== undefined && (before || Date.parse(promised.capturedAt) === time) && promised.lsn > (found ?? 0))
    return toLsn(promised.lsn)
  if (found !== undefined) return found
  const at = new Date(time).toISOString()
  const { database } = catalog
  if (resolution.kind === 'between')
    throw notRestorable(
      catalog,
      `What ${database} held at ${at} is not known: nothing was captured between two backups.`,
      resolution,
    )
  if (resolution.kind === 'unreachable' && resolution.before === undefined)
    throw notRestorable(catalog, `${at} is before the first backup of ${database}.`, resolution)
  throw notRestorable(
    catalog,
    `${at} is after the last backup of ${database}; what it held then is not known.`,
    resolution,
  )
}

function resolved(resolution: Resolution, before: boolean): Lsn | undefined {
  switch (resolution.kind) {
    case 'lsn':
      return resolution.lsn
    case 'between':
      return before ? resolution.before.lsn : undefined
    case 'unreachable':
      return before ? resolution.before?.lsn : undefined
    case 'within-log':
      throw new HoldfastError(
        'FORMAT_TOO_NEW',
        `The state is inside the log ${resolution.segment.key}, which this version does not restore from.`,
        {
          object: resolution.segment.key,
          hint: 'Use a newer version of Holdfast.',
        },
      )
  }
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
