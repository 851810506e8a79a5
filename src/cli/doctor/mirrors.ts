import { toHoldfastError } from '../../errors.ts'
import { type MirrorRecord, readMirror } from '../../repository/mirror-record.ts'
import type { Repository } from '../../repository/repository.ts'
import { openStorage } from '../../storage/open-storage.ts'
import { formatDuration } from '../format/duration.ts'
import { formatTime } from '../format/time.ts'
import { configuredMirrors } from '../mirror/configured-mirrors.ts'
import type { Session } from '../session.ts'
import { type Check, note, ok, warning } from './check.ts'

/** The mirrors that the configuration names; and of a mirror, that it is one. */
export async function checkMirrors(session: Session, repository: Repository): Promise<readonly Check[]> {
  const { signal, now } = session
  const own = await readMirror(repository.storage, { signal })
  const checks: Check[] = own === undefined ? [] : [ownCheck(own)]
  for (const { to, name } of await configuredMirrors(session)) {
    const storage = await openStorage(to)
    try {
      checks.push(checkOf(name, repository, await readMirror(storage, { signal }), now()))
    } catch (thrown) {
      signal.throwIfAborted()
      const { message, hint } = toHoldfastError(thrown, name)
      checks.push(warning(`mirror ${name}`, message, hint ?? null))
    } finally {
      await storage.close()
    }
  }
  return checks
}

function ownCheck({ source, completeAt }: MirrorRecord): Check {
  const as = completeAt === null ? 'which was never complete' : `complete as of ${formatTime(Date.parse(completeAt))}`
  return note('mirror', `this is a mirror of ${source}, ${as}; only "holdfast mirror" writes to it`)
}

function checkOf(name: string, repository: Repository, record: MirrorRecord | undefined, now: number): Check {
  const label = `mirror ${name}`
  if (record === undefined) return warning(label, 'there is no mirror yet', 'Begin it: holdfast mirror')
  if (record.repository.id !== repository.id)
    return warning(label, `is a mirror of another repository: ${record.source}`, 'Mirror to an empty place.')
  if (record.completeAt === null) return warning(label, 'was never complete', 'Bring it up to date: holdfast mirror')
  return ok(label, `complete as of ${formatDuration(Math.max(0, now - Date.parse(record.completeAt)))} ago`)
}
