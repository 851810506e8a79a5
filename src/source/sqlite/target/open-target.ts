/**
 * Opens a place that a SQLite database is restored to. For engine processes only: it opens the target by SQLite, and raw, so
 * the calling process must have no other descriptor or connection on it.
 */
import { randomBytes } from 'node:crypto'
import { HoldfastError } from '../../../errors.ts'
import { currentProcess } from '../../../util/process-identity.ts'
import type { RestoreTarget } from '../../target.ts'
import { DeltaTarget } from './delta-target.ts'
import { assertNotHeld, lockExclusively } from './exclusive-lock.ts'
import { FileReplacement } from './file-replacement.ts'
import { clearLeftovers } from './leftovers.ts'
import type { OnStep, TargetShape } from './step.ts'
import { assertSpace, findPlace, type OldFile, type TargetPlace } from './target-place.ts'
import { temporaryName } from './temporary-name.ts'

export interface OpenTargetOptions extends TargetShape {
  /** Replace an existing file; default false. */
  readonly force?: boolean | undefined
  /**
   * Change an existing file in place, writing only pages that differ; default false. Where the file cannot serve for that
   * (damaged, another page size) it is replaced; `mode` tells.
   */
  readonly delta?: boolean | undefined
  /** How long to wait for a lock before the target counts as live, in milliseconds; default 1000. */
  readonly busyTimeoutMs?: number | undefined
  /** In delta mode, bytes of pages that are held back until they are journalled and written together; default 32 MiB. */
  readonly heldBytes?: number | undefined
  readonly signal?: AbortSignal | undefined
  /** For fault tests: called before each step that changes the file system. */
  readonly onStep?: OnStep | undefined
}

/**
 * @param target path of the file; a symbolic link is followed, and stays
 * @throws TARGET_FOLDER_MISSING, TARGET_EXISTS, TARGET_LIVE, ACCESS_DENIED, DISK_FULL, USAGE, ABORTED; nothing was changed then
 */
export async function openTarget(target: string, options: OpenTargetOptions): Promise<RestoreTarget> {
  const {
    pageSize,
    pageCount,
    force = false,
    delta = false,
    busyTimeoutMs = 1000,
    heldBytes = defaultHeldBytes,
    signal,
  } = options
  signal?.throwIfAborted()
  const place = await findFreePlace(target, { force, delta })
  clearLeftovers(place.folder, place.base)
  const shape = { pageSize, pageCount }
  const temporary = temporaryName(place.base, currentProcess(), randomBytes(8).toString('hex'))
  const common = { busyTimeoutMs, temporary, onStep: options.onStep ?? (() => undefined) }
  if (delta && place.old !== undefined) {
    await assertSpace(place.folder, growth(place.old, { pageSize, pageCount }))
    const opened = await DeltaTarget.open({ ...place, old: place.old }, shape, { ...common, heldBytes })
    if (opened !== undefined) return opened
  }
  await assertSpace(place.folder, pageSize * pageCount)
  if (place.old !== undefined) assertUnlocked(place, busyTimeoutMs)
  return FileReplacement.open(place, shape, common)
}

/**
 * A look at a place, for a dry run: refuses what {@link openTarget} would refuse, as far as that shows without a lock, and
 * changes nothing. How much of an existing file can be reused is not known yet.
 * @throws as {@link openTarget}
 */
export async function previewTarget(
  target: string,
  { pageSize, pageCount, force = false, delta = false }: Pick<OpenTargetOptions, 'force' | 'delta'> & TargetShape,
): Promise<RestoreTarget['mode']> {
  const { old, folder } = await findFreePlace(target, { force, delta })
  await assertSpace(folder, old !== undefined && delta ? growth(old, { pageSize, pageCount }) : pageSize * pageCount)
  if (old === undefined) return 'create'
  return delta ? 'delta' : 'replace'
}

/** @throws TARGET_FOLDER_MISSING, TARGET_EXISTS, TARGET_LIVE, ACCESS_DENIED, USAGE */
async function findFreePlace(
  target: string,
  { force, delta }: { force: boolean; delta: boolean },
): Promise<TargetPlace> {
  const place = await findPlace(target)
  if (place.old !== undefined && !force && !delta) {
    throw new HoldfastError('TARGET_EXISTS', `The target ${target} exists already.`, {
      object: target,
      hint: 'Restore to another path, or with --force to replace it, or --delta to change only the pages that differ.',
    })
  }
  assertNotHeld(place.path)
  return place
}

/** What an existing file grows by; the journal comes on top, once it is known which pages differ. */
function growth(old: OldFile, { pageSize, pageCount }: TargetShape): number {
  return Math.max(0, pageSize * pageCount - old.size)
}

/** Each round of the journal costs two syncs. */
const defaultHeldBytes = 32 * 1024 * 1024

/** A first look, before hours of work; the lock itself is taken when the new file is put in place. */
function assertUnlocked(place: TargetPlace, busyTimeoutMs: number): void {
  const attempt = lockExclusively(place.path, busyTimeoutMs)
  if (attempt.readable) attempt.lock[Symbol.dispose]()
}
