/** What a running agent can be asked by commands of the same user. */
import { z } from 'zod'
import type { EngineApi } from '../engine/api.ts'
import { type AgentStatus, agentStatus } from './agent-status.ts'
import { runOutcomes } from './schedule/run-end.ts'

const scheduleRun = z.strictObject({
  outcome: z.enum(runOutcomes),
  message: z.string().nullable(),
  /** What is to be known besides. */
  warnings: z.array(z.string()),
  backupId: z.string().nullable(),
})

export type AgentControlSignatures = {
  status: { input: undefined; event: undefined; output: AgentStatus }
  /** Reads the configuration anew. Answers when it is in force. */
  reload: { input: undefined; event: undefined; output: undefined }
  /** Runs a schedule now; answers how it ended when the run is over. */
  runSchedule: {
    input: { readonly database: string; readonly schedule: string }
    event: undefined
    output: z.infer<typeof scheduleRun>
  }
}

const none = z.undefined()

export const agentControlApi: EngineApi<AgentControlSignatures> = {
  status: { input: none, event: none, output: agentStatus },
  reload: { input: none, event: none, output: none },
  runSchedule: {
    input: z.strictObject({ database: z.string(), schedule: z.string() }),
    event: none,
    output: scheduleRun,
  },
}
