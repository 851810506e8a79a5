/** What is expected of each database, told from the records of all agents. */
import type { AgentRecord, ExpectedSchedule } from '../../repository/agent-record.ts'
import { isInFuture } from '../../util/clock-margin.ts'

/** Times are in milliseconds since 1970. */
export interface ExpectedWork {
  /** Name in the repository. */
  readonly database: string
  /** Of the agent that is to do it. */
  readonly agent: string
  readonly host: string
  /** Its configuration file, and the database, on that host. */
  readonly config: string
  readonly path: string
  readonly since: number
  readonly isFollowed: boolean
  readonly overdueAfterMs: number | undefined
  readonly schedules: readonly ExpectedSchedule[]
}

/** A clock that is ahead by less than this only has its work waited for so much longer. */
const soonMs = 24 * 3_600_000

/**
 * By database. Of one that several agents have, the record that was written last counts: a database moves from host to host. One that is dated
 * in the future was dated by a clock that was wrong, and counts least; what is expected from then on is waited for if that is less than a day
 * ahead, and else expected now.
 * @param now milliseconds since 1970
 */
export function expectedWork(records: readonly AgentRecord[], now: number): ReadonlyMap<string, ExpectedWork> {
  const expected = new Map<string, ExpectedWork>()
  const writtenAt = (record: AgentRecord) => (isInFuture(record.writtenAt, now) ? '' : record.writtenAt)
  const inOrder = records.toSorted((a, b) => (writtenAt(a) < writtenAt(b) ? -1 : writtenAt(a) > writtenAt(b) ? 1 : 0))
  for (const { id: agent, host, config, plans } of inOrder) {
    for (const { databases, follow, overdueAfterMs, schedules } of plans) {
      for (const [database, { path, since }] of Object.entries(databases)) {
        expected.set(database, {
          database,
          agent,
          host,
          config,
          path,
          since: isInFuture(since, now + soonMs) ? 0 : Date.parse(since),
          isFollowed: follow !== null,
          overdueAfterMs: overdueAfterMs ?? undefined,
          schedules,
        })
      }
    }
  }
  return expected
}
