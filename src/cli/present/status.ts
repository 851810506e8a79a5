import type { AgentStatus } from '../../agent/agent-status.ts'
import { formatBytes } from '../format/bytes.ts'
import { formatDuration } from '../format/duration.ts'
import { formatTable } from '../format/table.ts'
import { counted } from '../format/text.ts'
import { formatTime } from '../format/time.ts'

/** More lines than these help nobody. */
const mostGone = 5

/** The first thing is whether all is well. */
export function statusText(status: AgentStatus, now: number): string {
  return [
    verdictText(status),
    databasesText(status, now),
    mirrorsText(status, now),
    goneText(status, now),
    runningText(status, now),
    channelsText(status, now),
    heartbeatsText(status, now),
    agentText(status, now),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
}

function verdictText({ health, problems }: AgentStatus): string {
  if (health === 'ok') return 'All is well.'
  const verdict = health === 'failing' ? 'SOMETHING IS WRONG:' : 'Look at this:'
  const lines = problems.map(({ summary, since }) => `- ${summary} (since ${formatTime(Date.parse(since))})`)
  return [verdict, ...lines].join('\n')
}

function databasesText({ databases }: AgentStatus, now: number): string {
  if (databases.length === 0) return 'No database was found yet.'
  return formatTable(
    [{ title: 'DATABASE' }, { title: 'FOLLOWING' }, { title: 'LAST BACKUP' }, { title: 'NEXT' }],
    databases.map(({ name, following, lastBackupAt, next }) => [
      name,
      followingText(following, now),
      lastBackupAt === null ? 'none' : `${ago(lastBackupAt, now)} ago`,
      next === null ? '' : `${next.action} ${dueText(Date.parse(next.at), now)}`,
    ]),
  )
}

function goneText({ gone }: AgentStatus, now: number): string {
  const deleted = gone.filter(({ expected }) => !expected)
  const shown = deleted.slice(0, mostGone).map(({ name, path, since }) => {
    return `Gone: ${name} (${path}), deleted by its owner ${ago(since, now)} ago; its backups stay.`
  })
  const more = deleted.length - shown.length
  const away = gone.length - deleted.length
  return [
    ...(away === 0 ? [] : [`Expected back: ${counted(away, 'database')}.`]),
    ...shown,
    ...(more > 0 ? [`Gone: ${counted(more, 'more database')}.`] : []),
  ].join('\n')
}

function mirrorsText({ mirrors }: AgentStatus, now: number): string {
  return mirrors
    .map(({ mirror, completeAt, next }) => {
      const state = completeAt === null ? 'not complete yet' : `complete as of ${ago(completeAt, now)} ago`
      return `Mirror ${mirror}: ${state}${next === null ? '' : `; next ${dueText(Date.parse(next), now)}`}.`
    })
    .join('\n')
}

function followingText(following: AgentStatus['databases'][number]['following'], now: number): string {
  if (following === null) return 'no'
  const { state, mode, lsn, lagMs, waitingBytes, error, since } = following
  if (state === 'waiting' || (state === 'starting' && error !== null))
    return `NO, for ${ago(since, now)}: ${error ?? 'it will be tried again'}`
  if (state !== 'following') return state
  if (error !== null) return `NOT AT THE MOMENT, for ${ago(since, now)}: ${error}`
  const behind = lagMs > 5_000 ? `, ${formatDuration(lagMs)} behind (${formatBytes(waitingBytes)} wait)` : ''
  return `${mode === 'deltas' ? 'states at an interval' : 'every commit'}, LSN ${lsn}${behind}`
}

function dueText(at: number, now: number): string {
  return at <= now ? 'now' : `in ${formatDuration(at - now)}`
}

function runningText({ running }: AgentStatus, now: number): string {
  return running
    .map(({ kind, type, database, startedAt, waiting }) => {
      const what = [kind, type].filter((part) => part !== null).join(' ')
      const line = `${what}${database === null ? '' : ` of ${database}`}, for ${ago(startedAt, now)}.`
      return waiting === null ? `Running: ${line}` : `Waiting: ${line} ${waiting}`
    })
    .join('\n')
}

function channelsText({ channels }: AgentStatus, now: number): string {
  return channels
    .map(({ name, type, target, waiting, lastSentAt, problem }) => {
      const sent = lastSentAt === null ? 'not tried yet' : `last sent ${ago(lastSentAt, now)} ago`
      const state = problem === null ? sent : `FAILING: ${problem}`
      return `Notifies ${name} (${type}, ${target}): ${state}${waiting === 0 ? '' : `; ${counted(waiting, 'alert')} waiting`}.`
    })
    .join('\n')
}

function heartbeatsText({ heartbeats }: AgentStatus, now: number): string {
  return heartbeats
    .map(({ name, target, everyMs, database, schedule, lastSentAt, lastFailureAt, lastFailure, failingSince }) => {
      const of = database === null ? '' : ` of ${database}`
      const what =
        everyMs === null ? `of ${schedule ?? 'scheduled operations'}${of}` : `every ${formatDuration(everyMs)}`
      const sent = lastSentAt === null ? 'nothing sent yet' : `last sent ${ago(lastSentAt, now)} ago`
      const failure = lastFailureAt === null ? '' : `; last failure ${ago(lastFailureAt, now)} ago: ${lastFailure}`
      const state = failingSince === null ? sent : `FAILING for ${ago(failingSince, now)}, ${sent}`
      return `Heartbeat ${name} (${what}, ${target}): ${state}${failure}${failure.endsWith('.') ? '' : '.'}`
    })
    .join('\n')
}

function agentText({ version, pid, startedAt, configFile, repository, workers }: AgentStatus, now: number): string {
  const processes = workers.length === 0 ? '' : ` and ${counted(workers.length, 'worker')}`
  return `Agent ${version}, process ${pid}${processes}, for ${ago(startedAt, now)}; ${configFile}; repository ${repository}.`
}

function ago(time: string, now: number): string {
  return formatDuration(Math.max(0, now - Date.parse(time)))
}
