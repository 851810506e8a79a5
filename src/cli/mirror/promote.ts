import type { Ending } from '../../agent/journal/ending.ts'
import { promoteStorage } from '../../maintenance/mirror/promote.ts'
import { openStorage } from '../../storage/open-storage.ts'
import { isoTime } from '../json/to-json.ts'
import { promotedText } from '../present/mirror.ts'
import type { Outcome, Session } from '../session.ts'

/** @throws MIRROR, LEASE_HELD, INTEGRITY, STORAGE_*, ABORTED */
export async function promote(session: Session, place: string, force: boolean): Promise<Outcome<'mirror'>> {
  const { signal, journal } = session
  const storage = await openStorage(place)
  try {
    const promoted = await journal.recorded(
      { kind: 'promote', location: place, parameters: { force } },
      () => promoteStorage(storage, { force, signal }),
      ({ formerSource }): Ending => ({ type: formerSource }),
    )
    const { completeAt, databases, ...rest } = promoted
    const data = {
      ...rest,
      databases: [...databases],
      completeAt: completeAt === undefined ? null : isoTime(completeAt),
    }
    return {
      data: { source: promoted.formerSource, dryRun: false, mirrors: [], failures: [], promoted: data },
      text: promotedText(data),
      brief: '',
    }
  } finally {
    await storage.close()
  }
}
