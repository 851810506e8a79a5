/**
 * What the source has no longer. It is deleted on the mirror only if the source says that it deleted it on purpose, when its grace has
 * passed, and while both sides are sound.
 */
import { toLsn } from '../../history/lsn.ts'
import { isReachable, type LsnRange, reachableLsns } from '../../history/reachable.ts'
import { removableSegments } from '../../history/removable-segments.ts'
import { planRollUp } from '../../history/roll-up.ts'
import type { SegmentInfo } from '../../history/segment-info.ts'
import { acknowledgedSegments } from '../../repository/acknowledged.ts'
import type { Catalog } from '../../repository/catalog.ts'
import { childrenFirst } from '../../repository/children-first.ts'
import { manifestKey } from '../../repository/layout.ts'
import { openStoredSegment } from '../../repository/open-segment.ts'
import { readCatalog } from '../../repository/read-catalog.ts'
import type { RetentionRecord } from '../../repository/retention-record.ts'
import { readLedger } from '../../repository/verification-ledger.ts'
import { removeCovered } from '../roll-up/roll-up-logs.ts'
import { forgettableRecords } from '../upkeep/forgettable-records.ts'
import { nextAbsent, sortAbsent } from './absent-objects.ts'
import type { MirroredObject } from './mirror-options.ts'
import type { Listed } from './object-kind.ts'
import type { DatabaseRun } from './run-context.ts'

export interface WhatIsAbsent {
  readonly absent: readonly Listed[]
  /** On the mirror, and sound as far as is known. */
  readonly segments: readonly SegmentInfo[]
  /** That the source lists. */
  readonly sourceSegments: readonly SegmentInfo[]
  readonly records: readonly RetentionRecord[]
  /** What must stay reachable besides the backups that stay. */
  readonly stay: readonly LsnRange[]
}

/** @throws LEASE_LOST, STORAGE_*, ABORTED */
export async function removeAbsent(run: DatabaseRun, what: WhatIsAbsent): Promise<void> {
  const { settings, source, sides, options } = run
  const { storage } = sides.mirror
  const covered = await removeCoveredLogs(run, what)
  const absent = what.absent.filter(({ key }) => !covered.has(key))
  let entries = nextAbsent(run.absent, absent, what.records, settings.now)
  const needsCatalog = sortAbsent(entries, settings)
  const catalog =
    needsCatalog.due.length + needsCatalog.missing.length === 0
      ? undefined
      : await readCatalog(storage, source.name, options)
  if (catalog !== undefined) entries = withoutPromise(entries, catalog)
  const { due, waiting, missing } = sortAbsent(entries, settings)
  Object.assign(run, { absent: entries, waiting, missing, heldBack: undefined })
  if (catalog === undefined || due.length === 0) return
  const going = new Set(due)
  run.heldBack = (await unsound(run, what, catalog)) ?? tooMany(run, catalog, going)
  if (run.heldBack !== undefined) return
  const plan = planOf(run, what, catalog, going)
  if (plan === undefined) {
    run.heldBack = 'A backup on the mirror cannot be restored from what is there.'
    return
  }
  const left = due.filter((key) => !plan.some((object) => object.key === key))
  run.waiting = [...waiting, ...left.map((key) => ({ key, since: sinceOf(run, key), until: settings.now }))]
  if (!settings.dryRun && plan.length > 0) await carryOut(run, plan)
  run.deleted.push(...plan)
  const gone = new Set(plan.map(({ key }) => key))
  if (!settings.dryRun) run.absent = Object.fromEntries(Object.entries(entries).filter(([key]) => !gone.has(key)))
}

const sinceOf = ({ absent, settings }: DatabaseRun, key: string): number =>
  Date.parse(absent[key]?.since ?? new Date(settings.now).toISOString())

/** Small logs that the source merged into a larger one: proved to be in that, they can go at once. @returns their keys */
async function removeCoveredLogs(
  run: DatabaseRun,
  { absent, segments, sourceSegments }: WhatIsAbsent,
): Promise<ReadonlySet<string>> {
  const { settings, sides, options } = run
  const { storage } = sides.mirror
  const gone = new Set(absent.map(({ key }) => key))
  const there = new Set(sourceSegments.map(({ key }) => key))
  const pairs = planRollUp(segments).covered.filter(({ segment, by }) => gone.has(segment.key) && there.has(by.key))
  const removed = new Set<string>()
  for (const [by, inner] of Map.groupBy(pairs, (pair) => pair.by)) {
    const logs = inner.map(({ segment }) => segment)
    if (!settings.dryRun) {
      run.assertHeld()
      const openSegment = (info: SegmentInfo) => openStoredSegment(storage, info, options)
      if ((await removeCovered({ storage, openSegment }, by, logs, options)) < logs.length) continue
    }
    for (const { key, bytes } of logs) {
      removed.add(key)
      run.deleted.push({ key, bytes })
    }
  }
  return removed
}

/** A base or delta that nothing was built on and no backup names is what an interrupted backup left: nobody was promised it. */
function withoutPromise(entries: DatabaseRun['absent'], catalog: Catalog): DatabaseRun['absent'] {
  const promised = new Set(acknowledgedSegments(catalog))
  const leftovers = new Set(catalog.segments.filter((segment) => !promised.has(segment)).map(({ key }) => key))
  return Object.fromEntries(
    Object.entries(entries).map(([key, entry]) => [key, leftovers.has(key) ? { ...entry, deleted: true } : entry]),
  )
}

/** Why nothing may be deleted now; undefined if all is well on both sides. */
async function unsound(
  run: DatabaseRun,
  { sourceSegments }: WhatIsAbsent,
  mirror: Catalog,
): Promise<string | undefined> {
  const [finding] = run.findings
  if (finding !== undefined) return `${finding.object}: ${finding.problem}`
  const { source, options } = run
  await run.settings.assertSource()
  if (sourceSegments.length === 0) return 'The repository lists no segment of it.'
  const catalog = await source.catalog(options)
  const problem = [...catalog.problems, ...mirror.problems][0]
  if (problem !== undefined) return `${problem.key}: ${problem.problem}`
  const reachable = reachableLsns(catalog.segments)
  const lost = catalog.backups.find(({ lsn }) => !isReachable(reachable, toLsn(lsn)))
  if (lost !== undefined) return `Backup ${lost.id} cannot be restored from the repository.`
  const ledger = await readLedger(source, options)
  const damaged = catalog.segments.find(({ key }) => ledger.segments[key]?.ok === false)
  return damaged === undefined ? undefined : `${damaged.key} is known to be damaged in the repository.`
}

const leastMost = 10

function tooMany(
  { settings, source }: DatabaseRun,
  { backups }: Catalog,
  going: ReadonlySet<string>,
): string | undefined {
  const count = backups.filter((backup) => going.has(manifestKey(source.name, backup))).length
  const most = settings.maxDelete ?? Math.max(leastMost, Math.floor(backups.length / 2))
  if (count <= most) return undefined
  return `The repository let go of ${count} of the mirror's ${backups.length} backups; at most ${most} are deleted in one run. If that is meant, give --max-delete ${count}.`
}

/** In the order in which to delete: what names others goes before them. */
function planOf(
  run: DatabaseRun,
  { segments, stay }: WhatIsAbsent,
  catalog: Catalog,
  going: ReadonlySet<string>,
): MirroredObject[] | undefined {
  const { name } = run.source
  const staying = catalog.backups.filter((backup) => !going.has(manifestKey(name, backup)))
  const manifests = childrenFirst(catalog.backups.filter((backup) => going.has(manifestKey(name, backup))))
  const candidates = segments.filter(({ key }) => going.has(key))
  const lsns = staying.map(({ lsn }) => toLsn(lsn))
  const removable = removableSegments(segments, candidates, { lsns, ranges: stay })
  if (removable === undefined) return undefined
  const removed = new Set(removable.map(({ key }) => key))
  const remaining = segments.filter(({ key }) => !removed.has(key))
  const { gaps, pauses } = forgettableRecords(catalog, { staying: remaining, present: remaining }, [])
  const records = (keys: readonly string[]) => keys.filter((key) => going.has(key)).map((key) => ({ key, bytes: 0 }))
  return [
    ...manifests.map((backup) => ({ key: manifestKey(name, backup), bytes: 0 })),
    ...records(gaps),
    ...removable.map(({ key, bytes }) => ({ key, bytes })),
    // As long as its log can be read, a time must not find the commits of a pause.
    ...records(pauses),
  ]
}

async function carryOut(run: DatabaseRun, plan: readonly MirroredObject[]): Promise<void> {
  const { settings, sides, options } = run
  await settings.lease?.confirm()
  for (const [done, { key }] of plan.entries()) {
    run.assertHeld()
    settings.onProgress?.({ phase: 'delete', done, total: plan.length, unit: 'objects' })
    await sides.mirror.storage.delete(key, options)
  }
  settings.onProgress?.({ phase: 'delete', done: plan.length, total: plan.length, unit: 'objects' })
}
