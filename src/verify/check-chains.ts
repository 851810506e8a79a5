import { type ChainLink, checkChain } from '../history/chain.ts'
import { toLsn } from '../history/lsn.ts'
import { type PlanStep, planRestore } from '../history/plan.ts'
import { latestPoint } from '../history/reachable.ts'
import { emptyState, formatState, type StateChecksum } from '../history/state-checksum.ts'
import { UnreachableError } from '../history/unreachable-error.ts'
import { leftAt } from '../repository/chain.ts'
import type { DatabaseRepository } from '../repository/database-repository.ts'
import { backupIdOfKey, retentionKey } from '../repository/layout.ts'
import { readRetention } from '../repository/retention-record.ts'
import type { OperationOptions } from '../storage/storage.ts'
import { type BackupOutline, type CatalogOutline, canReach, lostWithout } from './lost-backups.ts'
import type { Problems } from './problems.ts'
import type { SegmentStates } from './read-indexes.ts'

export interface ChainsToCheck {
  readonly database: DatabaseRepository
  /** What is looked at, and all that there is. */
  readonly catalog: CatalogOutline
  readonly whole: CatalogOutline
  /** Of the segments whose index could be read. */
  readonly states: ReadonlyMap<string, SegmentStates>
}

/** Every backup must be reached by segments that follow one another by content, and end in the state that it promises. */
export async function checkChains(
  chains: ChainsToCheck,
  problems: Problems,
  options: OperationOptions = {},
): Promise<void> {
  const { catalog } = chains
  const sound = catalog.segments.filter(({ key }) => !problems.objects.has(key))
  for (const backup of catalog.backups) {
    try {
      const { steps } = planRestore(sound, toLsn(backup.lsn))
      if (steps.some(({ segment }) => segment.key === backup.segment))
        await checkParent(chains, backup, problems, options)
      const state = formatState(await follow(chains, steps, problems, options))
      if (state !== backup.checksum) {
        const promise = `It promises the state ${backup.checksum}, but its segments lead to ${state}.`
        problems.backups.set(backup.id, promise)
      }
    } catch (error) {
      if (!(error instanceof UnreachableError)) throw error
      const { segment } = backup
      // What was merged away is not missed: the damage that stands in the way is in what it was merged into.
      const isMissing = segment !== null && !canReach(catalog.segments, backup.lsn)
      if (isMissing && !catalog.segments.some(({ key }) => key === segment))
        problems.objects.set(segment, 'The segment is missing.')
    }
  }
  // What was captured since the newest backup has no manifest.
  const newest = latestPoint(sound)
  if (newest !== undefined) await follow(chains, planRestore(sound, newest.lsn).steps, problems, options)
  const explained = new Set(lostWithout(catalog, new Set(problems.objects.keys())))
  for (const { id, lsn } of catalog.backups) {
    if (!explained.has(id) && !canReach(catalog.segments, lsn))
      problems.backups.set(id, 'Segments and manifests that it builds on are missing: no chain leads to it.')
  }
}

/** Follows a chain by its states, noting where it does not hold. Returns the state that it leads to. */
async function follow(
  { database, states }: ChainsToCheck,
  steps: readonly PlanStep[],
  problems: Problems,
  options: OperationOptions,
): Promise<StateChecksum> {
  const links: ChainLink[] = []
  for (const step of steps) {
    const known = states.get(step.segment.key)
    if (known === undefined) continue
    await problems.guard(step.segment.key, async () => {
      const endState = step.upTo === step.segment.to ? known.endState : await stateInside(database, step, options)
      links.push({ ...step, startState: known.startState, endState })
    })
  }
  const broken = checkChain(links)
  if (broken !== undefined) problems.objects.set(broken.link.segment.key, broken.message)
  return links.at(-1)?.endState ?? emptyState
}

/** Of a log that is left at one of its commits. */
async function stateInside(
  database: DatabaseRepository,
  step: PlanStep,
  options: OperationOptions,
): Promise<StateChecksum> {
  const { at } = await leftAt(await database.openSegment(step.segment, options), step, options)
  return at.state
}

/** A backup that another builds on was let go by retention, which left a note of that, or its manifest was lost. */
async function checkParent(
  { database, whole }: ChainsToCheck,
  { id, parent }: BackupOutline,
  problems: Problems,
  options: OperationOptions,
): Promise<void> {
  if (parent === null || whole.backups.some((backup) => backup.id === parent)) return
  if (whole.problems.some(({ key }) => key === retentionKey(database.name) || backupIdOfKey(key) === parent)) return
  const { letGo } = await readRetention(database, options)
  if (letGo.includes(parent)) return
  problems.backups.set(parent, `Its manifest is missing, though backup ${id} builds on it.`)
}
