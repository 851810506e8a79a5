import { HoldfastError } from '../../errors.ts'
import { forgetAgent, readAgentRecords } from '../../repository/agent-record.ts'
import { counted } from '../format/text.ts'
import { type Outcome, openRepository, type Session } from '../session.ts'

/** @param wanted its id, or the beginning of it @throws NAME_NOT_FOUND, USAGE if several begin so, REPOSITORY_NOT_FOUND, STORAGE_* */
export async function forgetAgentOf(session: Session, wanted: string): Promise<Outcome<'agents forget'>> {
  const { signal } = session
  await using repository = await openRepository(session)
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
  const count = record === undefined ? 0 : record.plans.flatMap(({ databases }) => Object.keys(databases)).length
  const where = record === undefined ? '' : ` on ${record.host}, with ${counted(count, 'database')}`
  return {
    data: { agent: id, databases: count },
    text: `Nothing more is expected of the agent ${id}${where}.`,
    brief: '',
  }
}
