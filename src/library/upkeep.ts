/** What a manager does to backups that are there, each recorded; a dry run is not. */
import { z } from 'zod'
import { compactEnding, expireEnding } from '../agent/journal/upkeep-ending.ts'
import type { DeleteBackupOptions, DeletedBackup } from '../backup/delete-backup.ts'
import type { ManagedDatabase } from '../backup/managed-database.ts'
import { deleteAnywhere } from '../capture/control/delete-through-follower.ts'
import {
  compactAnywhere,
  expireAnywhere,
  type UpkeepAnywhereOptions,
} from '../capture/control/upkeep-through-follower.ts'
import { parseOptions } from '../engine/parse-options.ts'
import { runningKeys } from '../engine/running-options.ts'
import type { RetentionPolicy } from '../history/retention.ts'
import type { CompactReport } from '../maintenance/compact/compact-database.ts'
import type { ExpireReport } from '../maintenance/expire/expire-database.ts'
import { retentionPolicy } from '../maintenance/expire/retention-policy.ts'
import { type PinnedBackup, pinBackup, unpinBackup } from '../maintenance/pins/pin-backup.ts'
import type { OperationOptions } from '../storage/storage.ts'
import type { RecordedFacts } from './journal/recorder.ts'
import type { ManagerParts } from './manager-parts.ts'
import { refuseUnknown } from './refuse-unknown.ts'

const milliseconds = z.number().min(0).optional()
const choice = { database: true } as const
const upkeepKeys = {
  ...choice,
  dryRun: true,
  graceMs: true,
  leaseWaitMs: true,
  now: true,
  onProgress: true,
  signal: true,
} as const satisfies Record<keyof UpkeepAnywhereOptions, true> & typeof choice
const deleteKeys = { ...choice, dryRun: true, force: true, now: true, signal: true } as const satisfies Record<
  keyof DeleteBackupOptions,
  true
> &
  typeof choice

/** What only seems to be `dryRun: true`, such as a text, must not delete. */
const flag = z.boolean().optional()
const upkeepOptions = z.looseObject({
  ...runningKeys,
  dryRun: flag,
  graceMs: milliseconds,
  leaseWaitMs: milliseconds,
  now: z.number().optional(),
})
const deleteOptions = z.looseObject({ ...runningKeys, dryRun: flag, force: flag, now: z.number().optional() })

export async function deleteOne(
  { queue, recorder }: ManagerParts,
  { name, repository }: ManagedDatabase,
  backup: string,
  options: DeleteBackupOptions,
): Promise<DeletedBackup> {
  refuseUnknown(options, deleteKeys)
  parseOptions(deleteOptions, options)
  const facts = unlessDry(options, {
    kind: 'delete',
    database: name,
    parameters: { backup, force: options.force === true },
  })
  const work = () => deleteAnywhere(repository, backup, options)
  const done = () =>
    recorder.recorded(facts, work, ({ backup: { id }, freedBytes, deletedSegments }) => {
      return { backupId: id, figures: { freedBytes, segments: deletedSegments.length } }
    })
  return await queue.run(name, done, options.signal)
}

export async function cleanUp(
  { queue, recorder, options: { retention: usual } }: ManagerParts,
  { name, repository }: ManagedDatabase,
  { retention = usual, ...options }: UpkeepAnywhereOptions & { readonly retention?: RetentionPolicy | undefined },
): Promise<ExpireReport> {
  refuseUnknown(options, upkeepKeys)
  parseOptions(upkeepOptions, options)
  retentionPolicy(retention)
  const said = Object.entries(retention ?? {}).filter(([, value]) => value !== undefined)
  const facts = unlessDry(options, { kind: 'expire', database: name, parameters: Object.fromEntries(said) })
  const work = () => expireAnywhere(repository, retention, options)
  return await queue.run(name, () => recorder.recorded(facts, work, expireEnding), options.signal)
}

export async function compact(
  { queue, recorder }: ManagerParts,
  { name, repository }: ManagedDatabase,
  options: UpkeepAnywhereOptions,
): Promise<CompactReport> {
  refuseUnknown(options, upkeepKeys)
  parseOptions(upkeepOptions, options)
  const facts = unlessDry(options, { kind: 'compact', database: name })
  const work = () => compactAnywhere(repository, options)
  return await queue.run(name, () => recorder.recorded(facts, work, compactEnding), options.signal)
}

export async function setPin(
  { recorder }: ManagerParts,
  kind: 'pin' | 'unpin',
  { name, repository }: ManagedDatabase,
  backup: string,
  options: OperationOptions,
): Promise<PinnedBackup> {
  const set = kind === 'pin' ? pinBackup : unpinBackup
  return await recorder.recorded(
    { kind, database: name, parameters: { backup } },
    () => set(repository, backup, options),
    ({ backup: { id } }) => ({ backupId: id }),
  )
}

function unlessDry(
  { dryRun }: { readonly dryRun?: boolean | undefined },
  facts: RecordedFacts,
): RecordedFacts | undefined {
  return dryRun === true ? undefined : facts
}
