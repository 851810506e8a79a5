import { HoldfastError } from '../../errors.ts'
import { type AgentRecord, forgetAgent, readAgentRecords } from '../../repository/agent-record.ts'
import { followingLease, freeLease } from '../../repository/free-lease.ts'
import type { Repository } from '../../repository/repository.ts'
import { counted } from '../format/text.ts'
import { formatTime } from '../format/time.ts'
import { type Outcome, openRepository, type Session } from '../session.ts'

/**
 * Expects nothing more of an agent, and lets go of what it followed.
 * @param wanted its id, or the beginning of it
 * @throws NAME_NOT_FOUND, USAGE if several begin so, REPOSITORY_NOT_FOUND, STORAGE_*
 */
export async function forgetAgentOf(session: Session, wanted: string): Promise<Outcome<'agents forget'>> {
  const { journal } = session
  return await journal.recorded({ kind: 'forget', parameters: { agent: wanted } }, async () => {
    await using repository = await openRepository(session)
    return await forget(session, repository, wanted)
  })
}

async function forget(session: Session, repository: Repository, wanted: string): Promise<Outcome<'agents forget'>> {
  const { signal } = session
  const { records } = await readAgentRecords(repository.storage, { signal })
  const [record, another] = records.filter(({ id }) => id.startsWith(wanted))
  if (another !== undefined)
    throw new HoldfastError('USAGE', `Several agents have an id that begins with "${wanted}".`, {
      object: wanted,
      hint: 'Give more of it; "holdfast agents" shows them.',
    })
  // One whose record is damaged is named by all of its id.
  const id = record?.id ?? wanted
  await forgetAgent(repository.storage, id, { signal })
  const names = record === undefined ? [] : databasesOf(record)
  const expectedStill = new Set(records.filter((each) => each !== record).flatMap(databasesOf))
  const freed: string[] = []
  for (const name of names) if (!expectedStill.has(name) && (await letGo(session, repository, name))) freed.push(name)
  const where = record === undefined ? '' : ` on ${record.host}, with ${counted(names.length, 'database')}`
  return {
    data: { agent: id, databases: names.length, freed },
    text: `Nothing more is expected of the agent ${id}${where}.`,
    brief: '',
  }
}

/**
 * Lets go of a database that was followed without an agent, by a process that is gone.
 * @throws NAME_NOT_FOUND, USAGE if an agent is expected to follow it, LEASE_HELD, REPOSITORY_NOT_FOUND, STORAGE_*
 */
export async function forgetFollowerOf(session: Session, name: string): Promise<Outcome<'agents forget'>> {
  const { journal, signal } = session
  return await journal.recorded({ kind: 'forget', database: name }, async () => {
    await using repository = await openRepository(session)
    const { records } = await readAgentRecords(repository.storage, { signal })
    const expecting = records.find((record) => databasesOf(record).includes(name))
    if (expecting !== undefined)
      throw new HoldfastError('USAGE', `The agent on ${expecting.host} is expected to look after ${name}.`, {
        object: name,
        hint: `If it never will again: "holdfast agents forget ${expecting.id.slice(0, 8)}". Else take ${name} out of its configuration (${expecting.config}).`,
      })
    if (!(await repository.databaseNames({ signal })).includes(name))
      throw new HoldfastError('NAME_NOT_FOUND', `The repository has no database "${name}".`, { object: name })
    const isFreed = await letGo(session, repository, name)
    return {
      data: { agent: null, databases: 1, freed: isFreed ? [name] : [] },
      text: isFreed
        ? `Nobody is expected to follow ${name} any more.`
        : `Nothing to do: nobody who followed ${name} is gone without having let go.`,
      brief: '',
    }
  })
}

/** @returns whether its follower was gone without having let go */
async function letGo({ signal, output }: Session, repository: Repository, name: string): Promise<boolean> {
  const database = repository.database(name)
  const lease = await followingLease(database, { signal })
  if (lease === undefined) return false
  if (await freeLease(database, { signal })) return true
  const { owner, expiresAt } = lease.document
  const who = `process ${owner.pid} on ${owner.host}`
  output.warn(
    `As far as is known here, ${who} still follows ${name}. If it does not: after ${formatTime(Date.parse(expiresAt))}, run "holdfast agents forget --database ${name}".`,
    name,
  )
  return false
}

function databasesOf({ plans }: AgentRecord): string[] {
  return plans.flatMap(({ databases }) => Object.keys(databases))
}
