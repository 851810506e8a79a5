import { hasCode } from '../../errors.ts'
import { toLsn } from '../../history/lsn.ts'
import { isReachable, reachableLsns } from '../../history/reachable.ts'
import type { SegmentInfo } from '../../history/segment-info.ts'
import { backupIdOfKey } from '../../repository/layout.ts'
import { inBatches } from '../../util/in-batches.ts'
import { copyDocument } from './copy-document.ts'
import { copyDrills } from './copy-replaced.ts'
import { copySegment } from './copy-segment.ts'
import { healDocuments, healKnownDamage, settleDifference } from './heal.ts'
import { type Listings, listAgain, segmentsOf } from './listings.ts'
import { makeRoom } from './make-room.ts'
import type { MirroredDocument } from './mirrored-document.ts'
import type { Listed } from './object-kind.ts'
import { type CopyPlan, planCopies } from './plan-copies.ts'
import { readRetention } from './read-retention.ts'
import { removeAbsent } from './remove-absent.ts'
import type { DatabaseRun } from './run-context.ts'
import { contradictoryLsn } from './two-histories.ts'

/** So many objects are copied at once. */
const copiesAtOnce = 4
/** The source may change while it is copied: so often it is listed again. */
const mostRounds = 5

/**
 * Brings one database up to date on the mirror: first gaps and segments, then what names them, last deletions; where there is no room for
 * the first, what may go goes before them. An interruption anywhere leaves a mirror of which every backup that it lists can be restored,
 * and the next run goes on.
 * @throws LEASE_LOST, DISK_FULL, STORAGE_*, ABORTED
 */
export async function mirrorDatabase(run: DatabaseRun, listed: Listings): Promise<void> {
  for (let listings = listed; ; listings = await listAgain(run)) {
    try {
      await bringUpToDate(run, listings)
      return
    } catch (error) {
      if (!hasCode(error, 'DISK_FULL') || !(await makeRoom(run))) throw error
    }
    run.beginAgain()
  }
}

async function bringUpToDate(run: DatabaseRun, listed: Listings): Promise<void> {
  let listings = listed
  for (let round = 1; ; round += 1) {
    const plan = planCopies(run.source.name, listings.source, listings.mirror)
    if (await isAnotherHistory(run, plan, listings)) return
    const segments = await copyData(run, plan, listings.mirror)
    if (segments !== undefined) {
      await copyRest(run, plan, segments, listings)
      return
    }
    if (round === mostRounds) {
      const problem = 'The repository changed again and again while it was copied.'
      run.findings.push({ object: run.source.name, side: 'source', problem, soundCopy: undefined })
      return
    }
    run.beginAgain()
    listings = await listAgain(run)
  }
}

/** Both histories stay as they are, each in its own place. */
async function isAnotherHistory(run: DatabaseRun, plan: CopyPlan, { source }: Listings): Promise<boolean> {
  const readRecords = async () => (await readRetention(run, plan))?.records ?? []
  const lsn = await contradictoryLsn(run, plan, segmentsOf(run.source.name, source), readRecords)
  if (lsn === undefined) return false
  run.findings.push({
    object: run.source.name,
    side: 'both',
    problem: `The repository and the mirror hold different states of LSN ${lsn}, both undamaged: two histories were written, as after the repository was set back to an older copy of itself. Nothing of it was copied or deleted. Mirror to another place; what the repository lost is still here.`,
    soundCopy: undefined,
  })
  return true
}

/** @returns the segments that are on the mirror then, damaged ones left out; undefined if something vanished meanwhile */
async function copyData(
  run: DatabaseRun,
  plan: CopyPlan,
  mirror: readonly Listed[],
): Promise<readonly SegmentInfo[] | undefined> {
  const { name } = run.source
  const present = new Map(mirror.map((object) => [object.key, object]))
  const damaged = new Set<string>()
  if (!(await copyDocuments(run, plan.gaps))) return undefined
  const copied = await copySegments(run, plan.segments)
  if (copied === undefined) return undefined
  for (const difference of plan.differing) if (!(await settleDifference(run, difference))) damaged.add(difference.key)
  await healKnownDamage(run, present)
  await healDocuments(run, plan.documents)
  for (const { object, soundCopy } of run.findings) if (soundCopy !== 'mirror') damaged.add(object)
  return [...segmentsOf(name, mirror).filter(({ key }) => !damaged.has(key)), ...copied]
}

/** @returns those that are on the mirror now; undefined if one vanished from the source */
async function copySegments(run: DatabaseRun, segments: readonly SegmentInfo[]): Promise<SegmentInfo[] | undefined> {
  const { settings, sides, options } = run
  const total = segments.reduce((sum, { bytes }) => sum + bytes, 0)
  if (settings.dryRun) {
    for (const { bytes } of segments) run.noteCopied(bytes)
    return [...segments]
  }
  let done = 0
  let isChanged = false
  const copied: SegmentInfo[] = []
  await inBatches(segments, copiesAtOnce, async (segment) => {
    run.assertHeld()
    const result = await copySegment(sides, segment, options)
    done += segment.bytes
    settings.onProgress?.({ phase: 'copy', done, total, unit: 'bytes' })
    if (result.is === 'gone') isChanged = true
    else if (result.is === 'damaged') {
      const soundCopy = result.side === 'mirror' ? 'source' : undefined
      run.findings.push({ object: segment.key, side: result.side, problem: result.problem, soundCopy })
    } else {
      copied.push(segment)
      run.noteCopied(segment.bytes)
    }
  })
  return isChanged ? undefined : copied
}

async function copyRest(
  run: DatabaseRun,
  plan: CopyPlan,
  segments: readonly SegmentInfo[],
  listings: Listings,
): Promise<void> {
  const { dryRun, now } = run.settings
  const retention = await readRetention(run, plan, { copy: true })
  if (retention?.isChanged) run.noteCopied(0)
  await copyDocuments(run, plan.records)
  const reachable = reachableLsns(segments)
  const objection = ({ manifest }: MirroredDocument) => {
    if (manifest === undefined || isReachable(reachable, toLsn(manifest.lsn))) return undefined
    return `Its state, LSN ${manifest.lsn}, cannot be restored from the repository, so it is not mirrored.`
  }
  // One after the other, oldest first: none may be there without the one that it builds on, whenever this ends.
  await copyDocuments(run, plan.manifests, { objection, atOnce: 1 })
  if (plan.hasDrills) {
    const keys = [...listings.mirror, ...plan.manifests].map(({ key }) => backupIdOfKey(key))
    const isChanged = await copyDrills(run.sides, new Set(keys.flatMap((id) => id ?? [])), {
      ...run.options,
      dryRun,
      now,
    })
    if (isChanged) run.noteCopied(0)
  }
  const sourceSegments = segmentsOf(run.source.name, listings.source)
  if (retention === undefined) return
  const stay = reachableLsns(sourceSegments)
  await removeAbsent(run, { absent: plan.absent, segments, sourceSegments, records: retention.records, stay })
}

interface CopyDocumentsOptions {
  /** Why a document is not to be written down; by default, each is. */
  readonly objection?: (document: MirroredDocument) => string | undefined
  readonly atOnce?: number
}

/** @returns false if one vanished */
async function copyDocuments(
  run: DatabaseRun,
  documents: readonly Listed[],
  { objection = () => undefined, atOnce = copiesAtOnce }: CopyDocumentsOptions = {},
): Promise<boolean> {
  const { settings, sides, options } = run
  const total = documents.length
  if (settings.dryRun) {
    for (const { size } of documents) run.noteCopied(size)
    return true
  }
  let done = 0
  let isChanged = false
  await inBatches(documents, atOnce, async ({ key, size }) => {
    run.assertHeld()
    let refusal: string | undefined
    const accept = (document: MirroredDocument) => {
      refusal = objection(document)
      return refusal === undefined
    }
    const result = await copyDocument(sides, key, { ...options, accept })
    done += 1
    settings.onProgress?.({ phase: 'documents', done, total, unit: 'objects' })
    const problem = result.is === 'damaged' ? result.problem : refusal
    if (problem !== undefined) run.findings.push({ object: key, side: 'source', problem, soundCopy: undefined })
    else if (result.is === 'gone') isChanged = true
    else run.noteCopied(size)
  })
  return !isChanged
}
