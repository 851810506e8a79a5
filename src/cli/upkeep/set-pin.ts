import type { Ending } from '../../agent/journal/ending.ts'
import type { PinnedBackup } from '../../maintenance/pins/pin-backup.ts'
import { findBackupAnywhere } from '../find-backup.ts'
import { formatFullTime } from '../format/time.ts'
import { type Outcome, openRepository, type Session } from '../session.ts'

export interface PinFlags {
  readonly database?: string
}

type Name = 'pin' | 'unpin'

/** @throws BACKUP_NOT_FOUND, INTEGRITY, STORAGE_* */
export async function setPin(session: Session, name: Name, id: string, flags: PinFlags): Promise<Outcome<Name>> {
  const facts = { kind: name, database: flags.database, parameters: { backup: id } }
  return await session.journal.recorded(facts, () => change(session, name, id, flags), ending)
}

function ending({ data: { backup } }: Outcome<Name>): Ending {
  return { database: backup.database, backupId: backup.id }
}

async function change(session: Session, name: Name, id: string, flags: PinFlags): Promise<Outcome<Name>> {
  const { signal, now } = session
  await using repository = await openRepository(session)
  const { database, backup } = await findBackupAnywhere(repository, id, { database: flags.database, signal })
  const { pinBackup, unpinBackup } = await import('../../maintenance/pins/pin-backup.ts')
  const set = name === 'pin' ? pinBackup : unpinBackup
  const pinned = await set(database, backup.id, { now: now(), signal })
  return { data: { ...pinned }, text: pinText(name, pinned), brief: '' }
}

function pinText(name: Name, { backup, changed }: PinnedBackup): string {
  const what = `the ${backup.type} backup ${backup.id}${backup.name === null ? '' : ` "${backup.name}"`} of ${backup.database}, ${formatFullTime(Date.parse(backup.capturedAt))}`
  if (!changed) return `Nothing to do: ${what}, is ${name === 'pin' ? 'pinned already' : 'not pinned'}.`
  return name === 'pin'
    ? `Pinned ${what}: no retention drops it.`
    : `Unpinned ${what}: from now on, retention counts it like any other.`
}
