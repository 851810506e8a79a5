import { formatDuration } from '../format/duration.ts'
import { formatTable } from '../format/table.ts'
import { formatCount } from '../format/text.ts'
import type { ResultData } from '../json/schemas.ts'

type Agents = ResultData<'agents'>

export function unknownText({ what, problem }: Agents['unknown'][number]): string {
  return `What is overdue of ${what} cannot be told: ${problem}`
}

export function agentsText({ agents, overdue, unknown }: Agents, now: number): string {
  if (agents.length + unknown.length === 0) return 'No agent has worked on this repository yet.'
  const lines = [
    ...(overdue.length === 0 ? [] : ['OVERDUE:']),
    ...overdue.map(({ summary, hint }) => `- ${summary}${hint === null ? '' : ` ${hint}`}`),
    ...(unknown.length === 0 ? [] : ['UNKNOWN:']),
    ...unknown.map((each) => `- ${unknownText(each)}`),
  ]
  const verdict = lines.length === 0 ? 'Nothing is overdue.' : lines.join('\n')
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
