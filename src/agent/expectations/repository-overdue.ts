import { toHoldfastError } from '../../errors.ts'
import { type AgentRecord, readAgentRecords } from '../../repository/agent-record.ts'
import type { Repository } from '../../repository/repository.ts'
import { requireMarker } from '../../repository/require-marker.ts'
import type { OperationOptions } from '../../storage/storage.ts'
import type { Condition } from '../notify/alert.ts'
import { type ExpectedWork, expectedWork } from './expected-work.ts'
import { isPassing } from './is-passing.ts'
import { overdueWork } from './overdue-work.ts'
import { type Evidence, readEvidence } from './read-evidence.ts'

export interface RepositoryOverdue {
  /** Of all agents, as far as they can be read. */
  readonly records: readonly AgentRecord[]
  /** All that any agent is expected to do. */
  readonly expected: ReadonlyMap<string, ExpectedWork>
  readonly overdue: readonly Condition[]
  /** Names of databases of which it cannot be told, and records that cannot be read, with the reason. */
  readonly unknown: ReadonlyMap<string, string>
}

export interface OverdueOptions extends OperationOptions {
  /** Databases that are not asked about. */
  readonly except?: ReadonlySet<string> | undefined
  /** Id of an agent: what nobody but that one is expected to do is not called overdue. */
  readonly asker?: string | undefined
  /** What was seen before, by database. What is not overdue by that is not read again; it is kept up to date here. */
  readonly known?: Map<string, Evidence> | undefined
}

/**
 * What is overdue in a repository, whoever should have done it: told from what agents have written down there, and from what there is.
 * @param now milliseconds since 1970
 * @throws STORAGE_*, REPOSITORY_NOT_FOUND, ABORTED. What keeps from looking at one database, and does not pass by itself, keeps from no other.
 */
export async function repositoryOverdue(
  repository: Repository,
  now: number,
  { except = new Set(), known = new Map(), asker, ...options }: OverdueOptions = {},
): Promise<RepositoryOverdue> {
  const { records, problems } = await readAgentRecords(repository.storage, options)
  // Agents that were there are not gone because nothing is there.
  if (records.length === 0 && problems.length === 0) await requireMarker(repository.storage, options)
  const expected = expectedWork(records, now)
  for (const name of known.keys()) if (!expected.has(name)) known.delete(name)
  const works = expectedWork(
    records.filter(({ id }) => id !== asker),
    now,
  ).values()
  const asked = [...works].filter(({ database }) => !except.has(database))
  const { overdue, unknown } = await judgeEach(repository, asked, now, known, options)
  return {
    records,
    expected,
    overdue,
    unknown: new Map([...problems.map(({ key, problem }) => [key, problem] as const), ...unknown]),
  }
}

/** One after the other. @throws what {@link isPassing} */
export async function judgeEach(
  repository: Repository,
  works: readonly ExpectedWork[],
  now: number,
  known: Map<string, Evidence>,
  options: OperationOptions,
): Promise<Pick<RepositoryOverdue, 'overdue' | 'unknown'>> {
  const overdue: Condition[] = []
  const unknown = new Map<string, string>()
  for (const work of works) {
    try {
      overdue.push(...(await judge(repository, work, now, known, options)))
    } catch (thrown) {
      if (isPassing(thrown, options.signal)) throw thrown
      unknown.set(work.database, toHoldfastError(thrown, work.database).message)
    }
  }
  return { overdue, unknown }
}

async function judge(
  repository: Repository,
  work: ExpectedWork,
  now: number,
  known: Map<string, Evidence>,
  options: OperationOptions,
): Promise<readonly Condition[]> {
  const before = known.get(work.database)
  // That a follower was alive says nothing of whether it still is.
  if (before !== undefined && !work.isFollowed && overdueWork(work, before, now).length === 0) return []
  const evidence = await readEvidence(repository.database(work.database), work, now, options)
  known.set(work.database, evidence)
  return overdueWork(work, evidence, now)
}
