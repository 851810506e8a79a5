import type { SegmentInfo } from '../../history/segment-info.ts'
import {
  backupsPrefix,
  databaseRecordKey,
  drillsKey,
  gapsPrefix,
  parseSegmentKey,
  pausesPrefix,
  retentionKey,
  segmentsPrefix,
} from '../../repository/layout.ts'

/** An object of a listing. */
export interface Listed {
  readonly key: string
  /** Bytes. */
  readonly size: number
}

export type MirroredKind =
  | { readonly kind: 'segment'; readonly segment: SegmentInfo }
  | { readonly kind: 'gap' | 'pause' | 'manifest' | 'record' | 'retention' | 'drills' }

/**
 * What an object of a database is to a mirror; undefined for what each place has its own of (the lease, and what was verified there), and
 * for what is no part of a repository.
 */
export function mirroredKind(database: string, object: Listed): MirroredKind | undefined {
  const { key } = object
  if (key.startsWith(segmentsPrefix(database))) {
    const segment = parseSegmentKey(object)
    return segment === undefined ? undefined : { kind: 'segment', segment }
  }
  if (key.startsWith(backupsPrefix(database))) return key.endsWith('.json') ? { kind: 'manifest' } : undefined
  if (key.startsWith(gapsPrefix(database))) return key.endsWith('.json') ? { kind: 'gap' } : undefined
  if (key.startsWith(pausesPrefix(database))) return key.endsWith('.json') ? { kind: 'pause' } : undefined
  if (key === databaseRecordKey(database)) return { kind: 'record' }
  if (key === retentionKey(database)) return { kind: 'retention' }
  return key === drillsKey(database) ? { kind: 'drills' } : undefined
}
