import { describeSchedule } from '../../agent/schedule/describe-schedule.ts'
import { ScheduleStateFile } from '../../agent/schedule/schedule-state-file.ts'
import { type ScheduleStatus, statusFromState } from '../../agent/schedule/schedule-status.ts'
import type { ResultData } from '../json/schemas.ts'
import { isoTime } from '../json/to-json.ts'
import { schedulesText } from '../present/schedule.ts'
import type { Outcome, Session } from '../session.ts'
import { agentRuns, findConfigured, readConfigured } from './configured.ts'
import { lastRun, type RunsByHand, runsByHand } from './last-run.ts'

type Listed = ResultData<'schedule list'>['schedules'][number]

/** @throws CONFIG_INVALID, NAME_NOT_FOUND, ACCESS_DENIED */
export async function listSchedules(session: Session, names: readonly string[]): Promise<Outcome<'schedule list'>> {
  const { output, now } = session
  const configured = await readConfigured(session)
  const { config, folder } = configured
  const databases = names.length === 0 ? configured.databases : names.map((name) => findConfigured(configured, name))
  const [state, agent] = await Promise.all([
    new ScheduleStateFile(folder).read((message) => output.warn(message)),
    agentRuns(folder),
  ])
  const time = now()
  const byHand = await runsByHand(session, config.repository)
  const listed = databases.flatMap(({ name, path, config: { schedules } }) =>
    schedules.map((schedule) => {
      const status = statusFromState(name, schedule, state.get(name), time)
      return { status, data: describe(status, path, agent, byHand) }
    }),
  )
  if (names.length === 0)
    for (const { name, schedule } of config.mirrors) {
      const status = statusFromState(name, schedule, state.get(name), time)
      listed.push({ status, data: describe(status, null, agent, byHand) })
    }
  if (!agent) output.note('No agent runs, so nothing is done on schedule. Start one with "holdfast run".')
  const data = { config: config.file, agent, schedules: listed.map((each) => each.data) }
  return { data, text: schedulesText(listed, time), brief: listed.map(({ data: { id } }) => id).join('\n') }
}

function describe(status: ScheduleStatus, path: string | null, agent: boolean, byHand: RunsByHand): Listed {
  const { database, schedule, due, since } = status
  const orNull = (time: number | undefined) => (time === undefined ? null : isoTime(time))
  const { startedAt, endedAt, outcome } = lastRun(status, agent, byHand)
  return {
    database,
    id: schedule.id,
    action: schedule.action,
    description: describeSchedule(schedule),
    path,
    next: orNull(due),
    commitsSince: since.commits,
    bytesSince: since.bytes,
    lastStarted: orNull(startedAt),
    lastFinished: orNull(endedAt),
    outcome: outcome ?? null,
  }
}
