import type { SegmentInfo } from '../../history/segment-info.ts'
import { type Listed, type MirroredKind, mirroredKind } from './object-kind.ts'

/** An object that never changes, and yet is of another size on the other side: one of the two is damaged. */
export interface Differing {
  readonly key: string
  readonly source: Listed
  readonly mirror: Listed
}

/** What of one database is to be copied; each list in the order of its names. */
export interface CopyPlan {
  /** Records of gaps and pauses. */
  readonly gaps: readonly Listed[]
  readonly segments: readonly SegmentInfo[]
  /** `database.json`. */
  readonly records: readonly Listed[]
  readonly manifests: readonly Listed[]
  readonly differing: readonly Differing[]
  /** Both sides have them, and of the same size; segments are not among them. */
  readonly documents: readonly Listed[]
  readonly hasRetention: boolean
  readonly hasDrills: boolean
  /** What the mirror has and the source has not. */
  readonly absent: readonly Listed[]
}

const deletable: ReadonlySet<MirroredKind['kind']> = new Set(['segment', 'gap', 'pause', 'manifest'])

/** What would make a mirror hold all that the source lists. Looks at names and sizes only. */
export function planCopies(database: string, source: readonly Listed[], mirror: readonly Listed[]): CopyPlan {
  const there = new Map(mirror.map((object) => [object.key, object]))
  const gaps: Listed[] = []
  const segments: SegmentInfo[] = []
  const records: Listed[] = []
  const manifests: Listed[] = []
  const differing: Differing[] = []
  const documents: Listed[] = []
  const replaced = new Set<string>()
  const listed = new Set<string>()
  for (const object of source) {
    const is = mirroredKind(database, object)
    if (is === undefined) continue
    listed.add(object.key)
    if (is.kind === 'retention' || is.kind === 'drills') {
      replaced.add(is.kind)
      continue
    }
    const copy = there.get(object.key)
    if (copy !== undefined) {
      if (copy.size !== object.size) differing.push({ key: object.key, source: object, mirror: copy })
      else if (is.kind !== 'segment') documents.push(object)
    } else if (is.kind === 'segment') segments.push(is.segment)
    else if (is.kind === 'gap' || is.kind === 'pause') gaps.push(object)
    else if (is.kind === 'manifest') manifests.push(object)
    else records.push(object)
  }
  const isAbsent = (object: Listed): boolean => {
    const kind = mirroredKind(database, object)?.kind
    return kind !== undefined && deletable.has(kind) && !listed.has(object.key)
  }
  return {
    gaps,
    segments,
    records,
    manifests,
    differing,
    documents,
    hasRetention: replaced.has('retention'),
    hasDrills: replaced.has('drills'),
    absent: mirror.filter(isAbsent),
  }
}
