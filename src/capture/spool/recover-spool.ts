/**
 * What a former capture left in the spool. What continues the repository's newest state goes on waiting for its upload; what the
 * repository has already can go; anything else is set aside, never deleted.
 */
import { basename, join } from 'node:path'
import { HoldfastError, hasCode } from '../../errors.ts'
import type { Lsn } from '../../history/lsn.ts'
import type { SegmentInfo } from '../../history/segment-info.ts'
import type { StateChecksum } from '../../history/state-checksum.ts'
import { usableSegments } from '../../history/usable-segments.ts'
import { parseSegmentKey, segmentsPrefix } from '../../repository/layout.ts'
import { findDamage } from '../../segment/damage-report.ts'
import { openSegment } from '../../segment/read-segment.ts'
import type { LocalFiles } from './local-files.ts'
import { spooledSuffix, temporarySuffix } from './open-segment.ts'
import { readFooter } from './spool-footer.ts'
import { type SpoolItem, spooledInput } from './spool-item.ts'

export interface RecoveryInput {
  readonly files: LocalFiles
  readonly folder: string
  /** Where files go that cannot be used. */
  readonly asideFolder: string
  readonly database: string
  readonly segments: readonly SegmentInfo[]
  /** The newest state in the repository; undefined if it has none. */
  readonly newest: { readonly lsn: Lsn; readonly state: StateChecksum; readonly pageSize: number } | undefined
}

export interface RecoveredSpool {
  readonly items: readonly SpoolItem[]
  /** What the repository has already, oldest first. Its files are still there: the newest may be all that tells the position. */
  readonly stored: readonly SpoolItem[]
  readonly warnings: readonly string[]
  /** Something that was not in the repository had to be set aside. */
  readonly lost: boolean
}

/** Where files of the spool go that cannot be used, in a capture's state folder. */
export const asideFolder = (stateFolder: string): string => join(stateFolder, 'set-aside')

export async function recoverSpool(input: RecoveryInput): Promise<RecoveredSpool> {
  const { files, folder } = input
  const warnings: string[] = []
  const found: SpoolItem[] = []
  for (const name of (await files.list(folder)).sort()) {
    const path = join(folder, name)
    if (name.endsWith(temporarySuffix)) await files.remove(path)
    else if (name.endsWith(spooledSuffix)) {
      const item = await readItem(input, path)
      if (item instanceof HoldfastError) warnings.push(await setAside(input, path, item.message))
      else found.push(item)
    }
  }
  const items: SpoolItem[] = []
  const stored = found.filter((item) => isStored(input, item))
  const rest = new Set(found.filter((item) => !stored.includes(item)))
  let at = input.newest
  for (;;) {
    const next = at === undefined ? undefined : following(at, rest)
    if (next === undefined || !isUsable(input, [...items, next])) break
    items.push(next)
    rest.delete(next)
    at = { lsn: next.info.to, state: next.endState, pageSize: next.pageSize }
  }
  const end = at?.lsn ?? 0
  for (const item of rest) {
    const covered = items.some(({ info }) => info.from <= item.info.from && item.info.to <= info.to)
    if (covered) await files.remove(item.path)
    else warnings.push(await setAside(input, item.path, `It does not continue the newest state, LSN ${end}.`))
  }
  return { items, stored, warnings, lost: warnings.length > 0 }
}

/** Of several that begin there, the one that leads furthest: it was made from the others. */
function following(
  at: { readonly lsn: Lsn; readonly state: StateChecksum; readonly pageSize: number },
  items: ReadonlySet<SpoolItem>,
): SpoolItem | undefined {
  let best: SpoolItem | undefined
  for (const item of items) {
    const continues = item.info.from === at.lsn && item.startState === at.state && item.pageSize === at.pageSize
    if (continues && (best === undefined || item.info.to > best.info.to)) best = item
  }
  return best
}

/** By its name, or, where it has been merged into a larger segment, by its state. */
function isStored({ segments, newest }: RecoveryInput, { info, endState }: SpoolItem): boolean {
  const isThere = segments.some(({ key, bytes }) => key === info.key && bytes === info.bytes)
  return isThere || (info.to === newest?.lsn && endState === newest.state)
}

/** Not so if another writer's higher epoch tells of the same commits. */
function isUsable({ segments }: RecoveryInput, items: readonly SpoolItem[]): boolean {
  const all = [...segments, ...items.map(({ info }) => info)]
  const last = items.at(-1)?.info
  return usableSegments(all).some(({ segment, upTo }) => segment === last && upTo === segment.to)
}

async function readItem({ files, database }: RecoveryInput, path: string): Promise<SpoolItem | HoldfastError> {
  const file = await files.open(path)
  try {
    const { footer, segmentBytes } = await readFooter(file)
    const name = basename(path).slice(0, -spooledSuffix.length)
    const info = parseSegmentKey({ key: `${segmentsPrefix(database)}${name}`, size: segmentBytes })
    if (info === undefined) throw new HoldfastError('INTEGRITY', 'Its name is not that of a segment.')
    const reader = await openSegment(spooledInput(files, path, segmentBytes), { object: path })
    const [damage] = await findDamage(reader.checkStored())
    if (damage !== undefined) throw new HoldfastError('INTEGRITY', damage.message)
    const { header, end } = reader
    if (header.from !== info.from || end.to !== info.to || header.epoch !== info.epoch || header.kind !== info.kind)
      throw new HoldfastError('INTEGRITY', 'It is another segment than its name says.')
    const { startState, pageSize } = header
    const { endState, pageCount } = end
    return { info, path, startState, endState, pageCount, pageSize, ...footer }
  } catch (thrown) {
    if (hasCode(thrown, 'INTEGRITY', 'FORMAT_TOO_NEW')) return thrown
    throw thrown
  } finally {
    await file.close()
  }
}

/** Puts a file of the spool where nobody deletes it. @returns what to say of it */
export async function setAside(
  { files, folder, asideFolder }: Pick<RecoveryInput, 'files' | 'folder' | 'asideFolder'>,
  path: string,
  why: string,
): Promise<string> {
  const to = join(asideFolder, basename(path))
  await files.makeFolder(asideFolder)
  await files.rename(path, to)
  await files.syncFolder(asideFolder)
  await files.syncFolder(folder)
  return `A segment that waited for the repository cannot be used, and was set aside at ${to}. ${why}`
}
