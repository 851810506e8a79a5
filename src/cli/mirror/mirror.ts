import type { Ending } from '../../agent/journal/ending.ts'
import { mirrorEnding, mirrorWarnings } from '../../agent/journal/mirror-ending.ts'
import { exitCodes, HoldfastError, toHoldfastError } from '../../errors.ts'
import type { MirrorReport } from '../../maintenance/mirror/mirror-options.ts'
import { mirrorTo } from '../../maintenance/mirror/mirror-to.ts'
import type { Repository } from '../../repository/repository.ts'
import { openStorage } from '../../storage/open-storage.ts'
import { isSamePlace } from '../config/same-place.ts'
import type { ResultData } from '../json/schemas.ts'
import { isoTime } from '../json/to-json.ts'
import { mirrorText } from '../present/mirror.ts'
import { type Outcome, openRepository, type Session, withProgress } from '../session.ts'
import { usageError } from '../usage-error.ts'
import { configuredMirrors } from './configured-mirrors.ts'

export interface MirrorFlags {
  readonly database?: readonly string[]
  readonly dryRun?: true
  readonly grace?: number
  readonly maxDelete?: number
  readonly dropMissing?: true
  readonly begin?: true
  readonly wait?: number
}

interface Place {
  readonly to: string
  readonly graceMs?: number | undefined
  readonly maxDelete?: number | undefined
}

/** @throws USAGE, CONFIG_INVALID, and what mirroring throws if there is only one place */
export async function mirror(
  session: Session,
  places: readonly string[],
  flags: MirrorFlags,
): Promise<Outcome<'mirror'>> {
  const { output } = session
  const wanted = await wantedPlaces(session, places)
  if (wanted.length === 0)
    throw usageError('There is nowhere to mirror to.', 'Name a place: holdfast mirror /mnt/nas/holdfast')
  await using repository = await openRepository(session)
  const reports: MirrorReport[] = []
  const failures: { readonly mirror: string; readonly error: HoldfastError }[] = []
  for (const place of wanted) {
    try {
      reports.push(await mirrorOne(session, repository, place, flags))
    } catch (thrown) {
      const error = toHoldfastError(thrown, place.to)
      if (wanted.length === 1 || session.signal.aborted) throw error
      output.warn(`Not mirrored to ${place.to}. ${error.message}${error.hint === undefined ? '' : ` ${error.hint}`}`)
      failures.push({ mirror: place.to, error })
    }
  }
  for (const report of reports) for (const warning of mirrorWarnings(report)) output.warn(warning, report.mirror)
  const data: ResultData<'mirror'> = {
    source: repository.url,
    dryRun: flags.dryRun === true,
    mirrors: reports.map(reportData),
    failures: failures.map(({ mirror, error: { code, message, hint = null } }) => ({ mirror, code, message, hint })),
    promoted: null,
  }
  const [failure] = [...failures.map(({ error }) => error), ...reports.flatMap(failuresOf)]
  const exitCode = failure?.exitCode ?? (reports.every(({ complete }) => complete) ? undefined : exitCodes.integrity)
  return { data, text: mirrorText(data), brief: '', ...(exitCode === undefined ? {} : { exitCode }) }
}

/** A place that the configuration names too, in whatever words, is treated as that says: by hand nothing is deleted there any sooner. */
async function wantedPlaces(session: Session, places: readonly string[]): Promise<readonly Place[]> {
  const configured = await configuredMirrors(session)
  if (places.length === 0) return configured
  const wanted: Place[] = []
  for (const to of places) {
    let known: Place | undefined
    for (const mirror of configured) if (await isSamePlace(mirror.to, to)) known = mirror
    wanted.push({ ...known, to })
  }
  return wanted
}

async function mirrorOne(
  session: Session,
  repository: Repository,
  { to, graceMs, maxDelete }: Place,
  flags: MirrorFlags,
): Promise<MirrorReport> {
  const { signal, journal } = session
  const storage = await openStorage(to)
  const type = storage.url
  const [database, ...others] = flags.database ?? []
  const one = others.length === 0 ? database : undefined
  const facts = flags.dryRun === true ? undefined : ({ kind: 'mirror', type, database: one } as const)
  try {
    return await journal.recorded(
      facts,
      () =>
        withProgress(session, storage.url, (onProgress) =>
          mirrorTo(repository, storage, {
            databases: flags.database,
            dryRun: flags.dryRun,
            graceMs: flags.grace ?? graceMs,
            maxDelete: flags.maxDelete ?? maxDelete,
            dropMissing: flags.dropMissing,
            begin: flags.begin,
            leaseWaitMs: flags.wait,
            signal,
            onProgress,
          }),
        ),
      (report): Ending => mirrorEnding(report),
    )
  } finally {
    await storage.close()
  }
}

function failuresOf({ failures }: MirrorReport): HoldfastError[] {
  return failures.map(
    ({ database, code, message, hint }) => new HoldfastError(code, message, { object: database, hint }),
  )
}

function reportData(report: MirrorReport): ResultData<'mirror'>['mirrors'][number] {
  const { source: _source, dryRun: _dryRun, completeAt, waiting, findings, failures, ...rest } = report
  return {
    ...rest,
    databases: [...rest.databases],
    copied: { ...rest.copied },
    healed: [...rest.healed],
    deleted: rest.deleted.map((one) => ({ ...one })),
    missing: [...rest.missing],
    heldBack: rest.heldBack.map((one) => ({ ...one })),
    completeAt: completeAt === undefined ? null : isoTime(completeAt),
    waiting: waiting.map(({ key, since, until }) => ({ key, since: isoTime(since), until: isoTime(until) })),
    findings: findings.map((finding) => ({ ...finding, soundCopy: finding.soundCopy ?? null })),
    failures: failures.map(({ hint = null, ...failure }) => ({ ...failure, hint })),
  }
}
