import { repositoryOverdue } from '../../agent/expectations/repository-overdue.ts'
import { exitCodes } from '../../errors.ts'
import type { AgentRecord } from '../../repository/agent-record.ts'
import type { ResultData } from '../json/schemas.ts'
import { agentsText, unknownText } from '../present/agents.ts'
import { type Outcome, openRepository, type Session } from '../session.ts'

type Shown = ResultData<'agents'>['agents'][number]

/** @throws REPOSITORY_NOT_FOUND, STORAGE_* */
export async function listAgents(session: Session): Promise<Outcome<'agents'>> {
  const { signal, now } = session
  await using repository = await openRepository(session)
  const { records, overdue, unknown } = await repositoryOverdue(repository, now(), { signal })
  const data = {
    repository: repository.url,
    agents: records.map(shown),
    overdue: overdue.map(({ database = '', severity, summary, hint = null }) => {
      return { database, severity, summary, hint }
    }),
    unknown: [...unknown].map(([what, problem]) => ({ what, problem })),
  }
  return {
    data,
    text: agentsText(data, now()),
    brief: [...overdue.map(({ summary }) => summary), ...data.unknown.map(unknownText)].join('\n'),
    ...(overdue.length + unknown.size === 0 ? {} : { exitCode: exitCodes.warnings }),
  }
}

function shown({ id, host, config, writtenAt, plans }: AgentRecord): Shown {
  const databases = plans.flatMap(({ databases, follow, schedules }) =>
    Object.entries(databases).map(([name, { path, since }]) => {
      return { name, path, since, followed: follow !== null, schedules: schedules.map(({ id }) => id) }
    }),
  )
  return { id, host, config, writtenAt, databases: databases.sort((a, b) => (a.name < b.name ? -1 : 1)) }
}
