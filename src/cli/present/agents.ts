import { formatDuration } from '../format/duration.ts'
import { formatTable } from '../format/table.ts'
import { formatCount } from '../format/text.ts'
import type { ResultData } from '../json/schemas.ts'

export function agentsText({ agents, overdue }: ResultData<'agents'>, now: number): string {
  if (agents.length === 0) return 'No agent has worked on this repository yet.'
  const verdict =
    overdue.length === 0
      ? 'Nothing is overdue.'
      : ['OVERDUE:', ...overdue.map(({ summary, hint }) => `- ${summary}${hint === null ? '' : ` ${hint}`}`)].join('\n')
  const table = formatTable(
    [
      { title: 'AGENT' },
      { title: 'HOST' },
      { title: 'CONFIGURATION' },
      { title: 'DATABASES', align: 'right' },
      { title: 'AS OF' },
    ],
    agents.map(({ id, host, config, databases, writtenAt }) => [
      id.slice(0, 8),
      host,
      config,
      formatCount(databases.length),
      `${formatDuration(Math.max(0, now - Date.parse(writtenAt)))} ago`,
    ]),
  )
  return [verdict, table].join('\n\n')
}
