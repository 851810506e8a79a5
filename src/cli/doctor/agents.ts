import { repositoryOverdue } from '../../agent/expectations/repository-overdue.ts'
import type { Repository } from '../../repository/repository.ts'
import { counted } from '../format/text.ts'
import { type Check, ok, warning } from './check.ts'

/** Whether what agents promised to do for this repository is done; nothing, where none ever ran. */
export async function checkAgents(
  repository: Repository,
  now: () => number,
  signal: AbortSignal,
): Promise<readonly Check[]> {
  const { expected, overdue, unknown } = await repositoryOverdue(repository, now(), { signal })
  if (expected.size === 0 && unknown.size === 0) return []
  const checks = [
    ...overdue.map(({ database = 'agents', summary, hint = null }) => warning(database, withoutPeriod(summary), hint)),
    ...[...unknown].map(([what, problem]) => warning(what, `what is overdue of it cannot be told: ${problem}`)),
  ]
  return checks.length > 0
    ? checks
    : [ok('agents', `nothing is overdue of ${counted(expected.size, 'database')} that agents look after`)]
}

function withoutPeriod(sentence: string): string {
  return sentence.replace(/\.$/, '')
}
