import type { SegmentInfo } from '../../history/segment-info.ts'
import { parseSegmentKey } from '../../repository/layout.ts'
import type { MirrorRecord } from '../../repository/mirror-record.ts'
import type { RetentionRecord } from '../../repository/retention-record.ts'
import type { AbsentObject } from './mirror-options.ts'
import type { Listed } from './object-kind.ts'

export type AbsentEntries = MirrorRecord['absent']

export const defaultMirrorGraceMs = 7 * 86_400_000

/**
 * What is known now of objects that the source has no longer. What it once said that it deletes stays known, since it forgets that in
 * time.
 * @param records the source's retention record, and the one that the mirror had of it
 */
export function nextAbsent(
  former: AbsentEntries,
  absent: readonly Listed[],
  records: readonly Pick<RetentionRecord, 'trash' | 'deleted'>[],
  now: number,
): AbsentEntries {
  const deletedKeys = new Set(records.flatMap(({ trash, deleted }) => [...Object.keys(trash), ...Object.keys(deleted)]))
  const deletedLogs = [...deletedKeys].flatMap((key) => logOf(key) ?? [])
  // A small log that was merged into a larger one is gone without a word: what became of the larger one tells.
  const isDeleted = (key: string): boolean => {
    const log = deletedKeys.has(key) ? undefined : logOf(key)
    if (log === undefined) return deletedKeys.has(key)
    return deletedLogs.some(({ epoch, from, to }) => epoch === log.epoch && from <= log.from && to >= log.to)
  }
  return Object.fromEntries(
    absent.map(({ key }) => {
      const known = former[key]
      const since = Math.min(known === undefined ? now : Date.parse(known.since), now)
      return [key, { since: new Date(since).toISOString(), deleted: known?.deleted === true || isDeleted(key) }]
    }),
  )
}

function logOf(key: string): SegmentInfo | undefined {
  const segment = parseSegmentKey({ key, size: 0 })
  return segment?.kind === 'log' ? segment : undefined
}

export interface AbsentSorted {
  /** Its grace has passed. */
  readonly due: readonly string[]
  readonly waiting: readonly AbsentObject[]
  /** Nothing says that it was deleted on purpose. */
  readonly missing: readonly string[]
}

export function sortAbsent(
  entries: AbsentEntries,
  { now, graceMs, dropMissing }: { readonly now: number; readonly graceMs: number; readonly dropMissing: boolean },
): AbsentSorted {
  const due: string[] = []
  const waiting: AbsentObject[] = []
  const missing: string[] = []
  for (const [key, { since: noticed, deleted }] of Object.entries(entries)) {
    const since = Date.parse(noticed)
    if (!deleted && !dropMissing) missing.push(key)
    else if (now - since >= graceMs) due.push(key)
    else waiting.push({ key, since, until: since + graceMs })
  }
  return { due, waiting, missing }
}
