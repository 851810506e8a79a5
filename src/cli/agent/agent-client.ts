import { type AgentControlSignatures, agentControlApi } from '../../agent/agent-control-api.ts'
import { agentSocket } from '../../agent/agent-lock.ts'
import { agentFolder } from '../../agent/agent-parts.ts'
import { loadStateFolder } from '../../agent/config/load-state-folder.ts'
import { ControlClient } from '../../control/client.ts'
import type { Session } from '../session.ts'

/**
 * The agent that runs with the state folder of the session's configuration; also if that has errors by now, or is gone.
 * @throws NOT_RUNNING, ACCESS_DENIED, USAGE
 */
export async function connectToAgent({ configFile, signal }: Session): Promise<ControlClient<AgentControlSignatures>> {
  const stateFolder = await loadStateFolder(configFile.path)
  const socket = await agentSocket(agentFolder({ stateFolder }))
  return await ControlClient.connect(socket, agentControlApi, { signal })
}
