/**
 * What an agent is expected to do for this repository: one document for each agent, which only that agent writes. By it anybody who can
 * read the repository notices that an agent is gone. Losing it costs that, nothing else.
 */
import { z } from 'zod'
import { HoldfastError, hasCode } from '../errors.ts'
import type { BackupStorage, OperationOptions } from '../storage/storage.ts'
import { readDocument, writeDocument } from './documents.ts'
import { agentRecordKey, agentsPrefix } from './layout.ts'

const time = z.iso.datetime({ precision: 3 })
const milliseconds = z.number().min(0)
const timeZone = z.string().optional()

const trigger = z.discriminatedUnion('on', [
  z.strictObject({
    on: z.literal('calendar'),
    every: z.enum(['hourly', 'daily', 'weekly', 'monthly', 'yearly']),
    /** Minutes after midnight; of `hourly`, after the full hour. */
    at: z.int().min(0).optional(),
    /** Of `weekly` from 1, Monday, to 7; of `monthly` and `yearly` the day of the month. */
    day: z.int().min(1).optional(),
    month: z.int().min(1).max(12).optional(),
    timeZone,
  }),
  z.strictObject({ on: z.literal('cron'), expression: z.string(), timeZone }),
  z.strictObject({ on: z.literal('interval'), everyMs: z.number().min(1) }),
])

/** Work whose result can be seen in the repository. */
export const expectedActions = ['full', 'incremental', 'snapshot', 'verify', 'drill'] as const

const schedule = z.strictObject({
  id: z.string(),
  action: z.enum(expectedActions),
  trigger,
  /** A run starts up to so long after it became due. */
  jitterMs: milliseconds.optional(),
})
export type ExpectedSchedule = z.infer<typeof schedule>

const plan = z.strictObject({
  /** By name: where the file is on the agent's host, and since when this is expected of it. */
  databases: z.record(z.string(), z.strictObject({ path: z.string(), since: time })),
  /** Null: they are not followed. */
  follow: z.strictObject({ syncIntervalMs: milliseconds }).nullable(),
  /** The newest state should never be older; null: told from the schedules. */
  overdueAfterMs: milliseconds.nullable(),
  schedules: z.array(schedule),
})
/** Databases of which the same is expected. */
export type ExpectedPlan = z.infer<typeof plan>

export const agentRecord = z.strictObject({
  /** Of the agent's state folder. */
  id: z.uuid(),
  host: z.string(),
  /** Its configuration file, on its host. */
  config: z.string(),
  writtenAt: time,
  plans: z.array(plan),
})
export type AgentRecord = z.infer<typeof agentRecord>

/** Every record that can be read, and what is wrong with the others. @throws STORAGE_*, ABORTED */
export async function readAgentRecords(
  storage: BackupStorage,
  options: OperationOptions = {},
): Promise<{ records: AgentRecord[]; problems: { key: string; problem: string }[] }> {
  const records: AgentRecord[] = []
  const problems: { key: string; problem: string }[] = []
  for await (const { key } of storage.list(agentsPrefix, options)) {
    if (!key.endsWith('.json')) continue
    try {
      const found = await readDocument(storage, 'agent', agentRecord, key, options)
      if (found !== undefined) records.push(found)
    } catch (error) {
      if (!hasCode(error, 'INTEGRITY', 'FORMAT_TOO_NEW', 'STORAGE_CORRUPT')) throw error
      problems.push({ key, problem: error.message })
    }
  }
  return { records, problems }
}

/** Undefined if there is none, or it is damaged: its agent writes it anew. @throws FORMAT_TOO_NEW, STORAGE_*, ABORTED */
export async function readAgentRecord(
  storage: BackupStorage,
  id: string,
  options: OperationOptions = {},
): Promise<AgentRecord | undefined> {
  try {
    return await readDocument(storage, 'agent', agentRecord, agentRecordKey(id), options)
  } catch (error) {
    if (hasCode(error, 'INTEGRITY')) return undefined
    throw error
  }
}

/** To be called by that agent alone. @throws STORAGE_*, DISK_FULL, ABORTED */
export async function putAgentRecord(
  storage: BackupStorage,
  record: AgentRecord,
  options: OperationOptions = {},
): Promise<void> {
  await writeDocument(storage, 'agent', agentRecordKey(record.id), record, options)
}

/** Nothing is expected of that agent any more; one that runs writes it anew. @throws NAME_NOT_FOUND, STORAGE_* */
export async function forgetAgent(storage: BackupStorage, id: string, options: OperationOptions = {}): Promise<void> {
  const key = agentRecordKey(id)
  if ((await storage.head(key, options)) === undefined)
    throw new HoldfastError('NAME_NOT_FOUND', `The repository knows of no agent "${id}".`, {
      object: id,
      hint: '"holdfast agents list" shows those that it knows of.',
    })
  await storage.delete(key, options)
}
