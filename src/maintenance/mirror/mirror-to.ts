import { Room } from '../../backup/room.ts'
import { HoldfastError, hasCode, toHoldfastError } from '../../errors.ts'
import { writeDocument } from '../../repository/documents.ts'
import { databasePrefix, markerKey, mirrorLeaseKey } from '../../repository/layout.ts'
import type { Lease } from '../../repository/lease.ts'
import { type MirrorRecord, writeMirror } from '../../repository/mirror-record.ts'
import { Repository } from '../../repository/repository.ts'
import { removeProbeLeftovers } from '../../storage/probe-leftovers.ts'
import type { BackupStorage } from '../../storage/storage.ts'
import { type AbsentEntries, defaultMirrorGraceMs } from './absent-objects.ts'
import { copyAuditHeads, keepInstructions } from './copy-around.ts'
import { isDatabase, listByDatabase } from './listed-databases.ts'
import { mirrorEach } from './mirror-each.ts'
import type { MirrorOptions, MirrorReport } from './mirror-options.ts'
import type { Listed } from './object-kind.ts'
import { type MirrorTarget, openTarget } from './open-target.ts'
import { DatabaseRun, type RunSettings } from './run-context.ts'

/**
 * Brings a mirror up to date: another storage that holds the same repository. The source is only read. An interrupted run is completed by
 * the next; at every moment each backup that the mirror lists can be restored from it. What is damaged is not spread, and what the source
 * lost is kept. An error of one database of several is told in the report, and the others are mirrored all the same.
 * @throws MIRROR if the place is something else; NAME_NOT_FOUND, LEASE_HELD, LEASE_LOST, INTEGRITY, DISK_FULL, STORAGE_*, ABORTED
 */
export async function mirrorTo(
  source: Repository,
  to: BackupStorage,
  options: MirrorOptions = {},
): Promise<MirrorReport> {
  const { dryRun = false, now = Date.now(), begin = false, leaseWaitMs: waitMs, signal } = options
  const opening = { dryRun, now, begin, signal }
  const opened = await openTarget(source, to, opening)
  if (dryRun) return await run(source, opened, undefined, options)
  const place = { storage: to, name: to.url, repository: opened.record.repository, leaseKey: mirrorLeaseKey }
  await using room = new Room(place)
  await using lease = await room.acquireLease({ purpose: 'mirror', waitMs, signal })
  const signals = signal === undefined ? [lease.signal] : [signal, lease.signal]
  try {
    // As it is now that nobody else writes to it.
    await removeProbeLeftovers(to, now, { signal })
    const target = { ...(await openTarget(source, to, opening)), isNew: opened.isNew }
    return await run(source, target, { lease, room }, { ...options, signal: AbortSignal.any(signals) })
  } catch (error) {
    if (lease.signal.aborted && signal?.aborted !== true) throw lease.signal.reason
    throw toHoldfastError(error, to.url)
  }
}

/** What a run that writes has. */
interface Writing {
  readonly lease: Lease
  readonly room: Room
}

async function run(
  source: Repository,
  target: MirrorTarget,
  writing: Writing | undefined,
  options: MirrorOptions,
): Promise<MirrorReport> {
  const startedAt = performance.now()
  const { dryRun = false, now = Date.now(), graceMs = defaultMirrorGraceMs, dropMissing = false } = options
  const { storage, record } = target
  const { maxDelete, onProgress, signal } = options
  const assertSource = () => assertSame(source, signal)
  const { lease, room } = writing ?? {}
  const settings = { lease, room, dryRun, now, graceMs, dropMissing, maxDelete, signal, onProgress, assertSource }
  if (!dryRun) await keepInstructions(storage, { signal })
  const listings = {
    mirror: await listByDatabase(storage, { signal }),
    source: await listByDatabase(source.storage, { signal }),
  }
  const names = await chosen(source, listings.source, options)
  const runs = names.map((name) => databaseRun(source, target, settings, name))
  let heads: number
  try {
    await mirrorEach(runs, (name) => ({
      source: listings.source.get(name) ?? [],
      mirror: listings.mirror.get(name) ?? [],
    }))
    heads = await copyAuditHeads(source.storage, storage, { dryRun, signal })
  } catch (error) {
    // What is noticed to be absent must be written down on a full disk too: else its grace never ends, and there is never room.
    if (hasCode(error, 'DISK_FULL') && !dryRun)
      await noteAbsent(storage, nextRecord(source, record, runs, timeOf(record.completeAt)), signal)
    throw error
  }
  // A source that went away meanwhile lists nothing, which looks like a mirror that lacks nothing.
  await assertSource()
  const lost = [...listings.mirror.keys()].filter((name) => !isDatabase(name, listings.source.get(name) ?? []))
  const isComplete = runs.every(({ findings, failure }) => findings.length === 0 && failure === undefined)
  const isWhole = isComplete && options.databases === undefined
  const completeAt = isWhole ? now : timeOf(record.completeAt)
  if (!dryRun) {
    if (!target.isRepository) await writeDocument(storage, 'repository', markerKey, record.repository, { signal })
    await writeMirror(storage, nextRecord(source, record, runs, completeAt), { signal })
  }
  const all = <T>(of: (run: DatabaseRun) => readonly T[]): readonly T[] => runs.flatMap(of)
  return {
    source: source.url,
    mirror: storage.url,
    dryRun,
    isNew: target.isNew,
    complete: isComplete,
    completeAt: dryRun ? timeOf(record.completeAt) : completeAt,
    databases: names,
    copied: {
      objects: heads + runs.reduce((sum, { copied }) => sum + copied.objects, 0),
      bytes: runs.reduce((sum, { copied }) => sum + copied.bytes, 0),
    },
    healed: all(({ healed }) => healed),
    deleted: all(({ deleted }) => deleted),
    waiting: all(({ waiting }) => waiting),
    missing: [...lost.map(databasePrefix), ...all(({ missing }) => missing)],
    heldBack: all(({ heldBack, sides }) =>
      heldBack === undefined ? [] : [{ database: sides.mirror.name, reason: heldBack }],
    ),
    findings: all(({ findings }) => findings),
    failures: all(({ failure, sides }) => {
      if (failure === undefined) return []
      const { code, message, hint } = failure
      return [{ database: sides.mirror.name, code, message, hint }]
    }),
    durationMs: performance.now() - startedAt,
  }
}

function databaseRun(
  source: Repository,
  { storage, record }: MirrorTarget,
  settings: RunSettings,
  name: string,
): DatabaseRun {
  const mirror = { storage, name, repository: record.repository }
  return new DatabaseRun(settings, { source: source.database(name), mirror }, ofDatabase(record.absent, name))
}

function ofDatabase(absent: AbsentEntries, name: string): AbsentEntries {
  return Object.fromEntries(Object.entries(absent).filter(([key]) => key.startsWith(databasePrefix(name))))
}

function nextRecord(
  source: Repository,
  record: MirrorRecord,
  runs: readonly DatabaseRun[],
  completeAt: number | undefined,
): MirrorRecord {
  const prefixes = runs.map((each) => databasePrefix(each.source.name))
  const others = Object.entries(record.absent).filter(([key]) => !prefixes.some((prefix) => key.startsWith(prefix)))
  const absent = Object.assign({}, Object.fromEntries(others), ...runs.map((each) => each.absent))
  const iso = completeAt === undefined ? null : new Date(completeAt).toISOString()
  return { ...record, source: source.url, completeAt: iso, absent }
}

async function noteAbsent(mirror: BackupStorage, record: MirrorRecord, signal: AbortSignal | undefined): Promise<void> {
  try {
    await writeMirror(mirror, record, { signal })
  } catch (error) {
    // The run has failed for the same reason, and says so.
    if (!hasCode(error, 'DISK_FULL')) throw error
  }
}

const timeOf = (iso: string | null): number | undefined => (iso === null ? undefined : Date.parse(iso))

/** @throws NAME_NOT_FOUND */
async function chosen(
  source: Repository,
  listed: ReadonlyMap<string, readonly Listed[]>,
  { databases, signal }: MirrorOptions,
): Promise<readonly string[]> {
  if (databases === undefined) {
    return [...listed].flatMap(([name, objects]) => (isDatabase(name, objects) ? [name] : []))
  }
  const found = await Promise.all(databases.map((name) => source.findDatabase(name, { signal })))
  return [...new Set(found.map(({ name }) => name))]
}

/** @throws REPOSITORY_NOT_FOUND, INTEGRITY, STORAGE_* */
async function assertSame(source: Repository, signal: AbortSignal | undefined): Promise<void> {
  const { id } = await Repository.open(source.storage, { signal })
  if (id === source.id) return
  throw new HoldfastError('MIRROR', `The repository at ${source.url} was replaced by another while it was mirrored.`, {
    object: source.url,
    hint: 'Nothing was deleted on the mirror.',
  })
}
