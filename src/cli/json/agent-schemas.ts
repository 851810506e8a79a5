/** What the agent's commands write. */
import { z } from 'zod'
import { agentStatus } from '../../agent/agent-status.ts'
import { severities } from '../../agent/notify/alert.ts'
import { unsent } from './unsent.ts'

const count = z.int().min(0)
const time = z.iso.datetime({ precision: 3 })

export const agentResults = {
  run: z.strictObject({
    left: z
      .array(z.strictObject({ database: z.string(), ...unsent.shape }))
      .describe('commits that the next start uploads'),
  }),
  agents: z.strictObject({
    repository: z.string(),
    agents: z.array(
      z.strictObject({
        id: z.string(),
        host: z.string(),
        config: z.string().describe('its configuration file, on its host'),
        writtenAt: time.describe('when what is expected of it last changed'),
        databases: z.array(
          z.strictObject({
            name: z.string(),
            path: z.string().describe("on the agent's host"),
            since: time.describe('since when this is expected'),
            followed: z.boolean(),
            schedules: z.array(z.string()).describe('ids of those whose work can be seen in the repository'),
          }),
        ),
      }),
    ),
    overdue: z.array(
      z.strictObject({
        database: z.string(),
        severity: z.enum(severities),
        summary: z.string(),
        hint: z.string().nullable(),
      }),
    ),
    unknown: z
      .array(
        z.strictObject({
          what: z.string().describe('a database, or the key of a record of an agent'),
          problem: z.string().describe('why it cannot be looked at'),
        }),
      )
      .describe('of these it cannot be told what is overdue'),
  }),
  'agents forget': z.strictObject({
    agent: z.string().nullable().describe('its id; null with --database'),
    databases: count.describe('so many were expected of it'),
    freed: z.array(z.string()).describe('databases of which the follower was gone without having let go'),
  }),
  status: agentStatus.describe('what the running agent says of itself'),
}
