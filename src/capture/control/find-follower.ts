import { ControlClient } from '../../control/client.ts'
import { listeningSockets } from '../../control/socket-path.ts'
import { hasCode } from '../../errors.ts'
import type { DatabaseRepository } from '../../repository/database-repository.ts'
import { captureControlApi } from './control-api.ts'

/** Whoever follows databases says at once which. */
const answerMs = 3_000

/**
 * The socket of the process of this user and machine that follows a database, where its lease does not tell: each that listens is asked.
 * Undefined if none says so. @throws ABORTED
 */
export async function findFollower(
  database: DatabaseRepository,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  for (const socket of await listeningSockets()) if (await follows(socket, database, signal)) return socket
  return undefined
}

async function follows(
  socket: string,
  { repository, name }: DatabaseRepository,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  try {
    using process = await ControlClient.connect(socket, captureControlApi, { signal, answerMs, silenceMs: answerMs })
    return await process.call('follows', { which: { repositoryId: repository.id, database: name } }, { signal })
  } catch (thrown) {
    // It has ended, does not answer, or is one that follows nothing, such as the agent itself.
    if (hasCode(thrown, 'NOT_RUNNING', 'ACCESS_DENIED', 'USAGE', 'INTERNAL')) return false
    if (hasCode(thrown, 'ABORTED') && signal?.aborted !== true) return false
    throw thrown
  }
}
