/** What the agent's commands write. */
import { z } from 'zod'
import { agentStatus } from '../../agent/agent-status.ts'

const count = z.int().min(0)

export const agentResults = {
  run: z.strictObject({
    left: z
      .array(z.strictObject({ database: z.string(), segments: count, bytes: count }))
      .describe('commits that the next start uploads'),
  }),
  status: agentStatus.describe('what the running agent says of itself'),
}
