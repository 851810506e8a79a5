import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { z } from 'zod'
import { readState, writeState } from './state-document.ts'

const body = z.strictObject({ id: z.uuid() })

/**
 * The id of the agent that has this state folder, made when it runs there for the first time. One that cannot be read is made anew:
 * what was expected of the former is then expected of nobody who knows of it, and "holdfast agents forget" ends that.
 * @throws DISK_FULL, ACCESS_DENIED, INTERNAL
 */
export async function agentId(folder: string, warn: (message: string) => void): Promise<string> {
  const path = join(folder, 'id.json')
  const read = await readState('agent-id', body, path)
  if (read.found) return read.body.id
  if (read.problem !== undefined) warn(`This agent gets a new id. ${read.problem}`)
  const id = randomUUID()
  await writeState('agent-id', { id }, path)
  return id
}
