import type { MaintenancePlan } from '../../history/retention.ts'
import type { SegmentInfo } from '../../history/segment-info.ts'
import { childrenFirst } from '../../repository/children-first.ts'
import type { DatabaseRepository } from '../../repository/database-repository.ts'
import { manifestKey } from '../../repository/layout.ts'
import type { Lease } from '../../repository/lease.ts'
import type { BackupManifest } from '../../repository/manifest.ts'
import {
  nextDeleted,
  nextLetGo,
  type RetentionRecord,
  readRetention,
  updateRetention,
} from '../../repository/retention-record.ts'
import { asTrash, type Condemned, defaultGraceMs, dueOf, nextTrash, type Trash } from './trash.ts'
import type { UpkeepOptions, UpkeepReport } from './upkeep-options.ts'

export interface Disposal {
  readonly deleted: readonly SegmentInfo[]
  readonly waiting: readonly Condemned[]
}

export interface WhatGoes {
  readonly segments: readonly SegmentInfo[]
  readonly plan: Pick<MaintenancePlan, 'deletions' | 'lost'>
  /** Backups whose manifests go. */
  readonly drop: readonly BackupManifest[]
  /** Records of gaps and pauses that go: their keys. */
  readonly records: readonly string[]
  /** Backups that stay. */
  readonly kept: readonly BackupManifest[]
}

export type DisposalOptions = Pick<UpkeepOptions, 'graceMs' | 'onProgress' | 'signal'> & { readonly now: number }

/** What {@link dispose} would do. */
export function planDisposal(
  { trash }: Pick<RetentionRecord, 'trash'>,
  { segments, plan }: Pick<WhatGoes, 'segments' | 'plan'>,
  { now, graceMs = defaultGraceMs }: DisposalOptions,
): Disposal & { readonly condemned: readonly Condemned[] } {
  const condemned = nextTrash(trash, plan, now)
  const deleted = dueOf(segments, condemned, { now, graceMs })
  const gone = new Set(deleted.map(({ key }) => key))
  return { condemned, deleted, waiting: condemned.filter(({ segment: { key } }) => !gone.has(key)) }
}

/**
 * First everything that is to go is written down; then manifests go, since a backup exists only while its manifest does; then the segments
 * that nothing has needed for the time of grace. An interruption at any point leaves what is kept whole, and the next run goes on.
 * @returns undefined, with nothing done, if a backup that was to go was pinned meanwhile
 * @throws LEASE_LOST, DISK_FULL, STORAGE_*
 */
export async function dispose(
  database: DatabaseRepository,
  lease: Lease,
  what: WhatGoes,
  options: DisposalOptions,
): Promise<Disposal | undefined> {
  const { signal, onProgress } = options
  await lease.confirm()
  const disposal = await condemn(database, what, options)
  if (disposal === undefined) return undefined
  const deletions = [
    ...childrenFirst(what.drop).map((manifest) => () => database.deleteManifest(manifest, { signal })),
    ...what.records.map((key) => () => database.storage.delete(key, { signal })),
    ...disposal.deleted.map(
      ({ key }) =>
        () =>
          database.storage.delete(key, { signal }),
    ),
  ]
  const total = deletions.length
  if (total === 0) return disposal
  for (const [done, remove] of deletions.entries()) {
    lease.assertHeld()
    onProgress?.({ phase: 'delete', done, total, unit: 'objects' })
    await remove()
  }
  onProgress?.({ phase: 'delete', done: total, total, unit: 'objects' })
  const kept = new Set(what.kept.map(({ id }) => id))
  await updateRetention(database, (record) => ({
    pins: Object.fromEntries(Object.entries(record.pins).filter(([id]) => kept.has(id))),
    dropping: [],
    letGo: nextLetGo(record, what.drop, what.kept),
    trash: asTrash(disposal.waiting),
    deleted: record.deleted,
  }))
  return disposal
}

/** Once a backup is among those that are being dropped, it can no longer be pinned. */
async function condemn(
  database: DatabaseRepository,
  what: WhatGoes,
  options: DisposalOptions,
): Promise<Disposal | undefined> {
  const { signal } = options
  const isPinned = ({ pins }: RetentionRecord) => what.drop.some(({ id }) => pins[id]?.pinned === true)
  const former = await readRetention(database, { signal })
  let disposal = planDisposal(former, what, options)
  let wasPinned = isPinned(former)
  const keysOf = ({ deleted }: Disposal) => [
    ...what.drop.map((manifest) => manifestKey(database.name, manifest)),
    ...what.records,
    ...deleted.map(({ key }) => key),
  ]
  const isWritten =
    former.dropping.length === 0 &&
    sameTrash(former.trash, asTrash(disposal.condemned)) &&
    keysOf(disposal).every((key) => former.deleted[key] !== undefined)
  if (wasPinned || (what.drop.length === 0 && isWritten)) return wasPinned ? undefined : disposal
  const dropping = what.drop.map(({ id }) => id)
  await updateRetention(
    database,
    (record) => {
      wasPinned = isPinned(record)
      if (wasPinned) return record
      disposal = planDisposal(record, what, options)
      return {
        ...record,
        dropping,
        letGo: nextLetGo(record, what.drop, what.kept),
        trash: asTrash(disposal.condemned),
        deleted: nextDeleted(record, keysOf(disposal), options.now),
      }
    },
    { signal },
  )
  return wasPinned ? undefined : disposal
}

function sameTrash(a: Trash, b: Trash): boolean {
  const keys = Object.keys(a)
  return keys.length === Object.keys(b).length && keys.every((key) => a[key]?.since === b[key]?.since)
}

export function disposalReport(
  { deleted, waiting }: Disposal,
  { now, graceMs = defaultGraceMs }: DisposalOptions,
): Pick<UpkeepReport, 'deleted' | 'waiting' | 'freedBytes' | 'waitingBytes'> {
  const sum = (list: readonly { readonly bytes: number }[]) => list.reduce((total, { bytes }) => total + bytes, 0)
  const pending = waiting.map(({ segment: { key, bytes }, since }) => ({ key, bytes, since, until: since + graceMs }))
  return {
    deleted: deleted.map(({ key, bytes }) => ({ key, bytes })),
    waiting: pending.map((one) => ({ ...one, until: Math.max(one.until, now) })),
    freedBytes: sum(deleted),
    waitingBytes: sum(pending),
  }
}
