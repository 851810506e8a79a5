import { hasCode, toHoldfastError } from '../../errors.ts'
import { readAgentRecords } from '../../repository/agent-record.ts'
import type { Repository } from '../../repository/repository.ts'
import type { OperationOptions } from '../../storage/storage.ts'
import type { Condition } from '../notify/alert.ts'
import { type ExpectedWork, expectedWork } from './expected-work.ts'
import { overdueWork } from './overdue-work.ts'
import { type Evidence, readEvidence } from './read-evidence.ts'

export interface RepositoryOverdue {
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
 * @throws STORAGE_*, ABORTED
 */
export async function repositoryOverdue(
  repository: Repository,
  now: number,
  { except = new Set(), known = new Map(), asker, ...options }: OverdueOptions = {},
): Promise<RepositoryOverdue> {
  const { records, problems } = await readAgentRecords(repository.storage, options)
  const expected = expectedWork(records)
  const overdue: Condition[] = []
  const unknown = new Map(problems.map(({ key, problem }) => [key, problem]))
  for (const name of known.keys()) if (!expected.has(name)) known.delete(name)
  for (const [name, work] of expectedWork(records.filter(({ id }) => id !== asker))) {
    if (except.has(name)) continue
    try {
      overdue.push(...(await judge(repository, work, now, known, options)))
    } catch (thrown) {
      if (!hasCode(thrown, 'INTEGRITY', 'FORMAT_TOO_NEW', 'STORAGE_CORRUPT', 'USAGE')) throw thrown
      unknown.set(name, toHoldfastError(thrown, name).message)
    }
  }
  return { expected, overdue, unknown }
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
