import { BackupError, HoldfastError, RestoreError } from '../../errors.ts'
import type { Session } from '../session.ts'
import { configuredMirrors } from './configured-mirrors.ts'

/** Codes of a repository that is away, or lost. */
const awayCodes: readonly string[] = [
  'REPOSITORY_NOT_FOUND',
  'INTEGRITY',
  'STORAGE_TRANSIENT',
  'STORAGE_THROTTLED',
  'STORAGE_DENIED',
  'STORAGE_CORRUPT',
]

/** A repository that cannot be opened: where the configuration names mirrors, it may be read from there. */
export async function withMirrors(session: Session, error: unknown): Promise<unknown> {
  if (!(error instanceof HoldfastError) || error instanceof BackupError || error instanceof RestoreError) return error
  if (!session.isLocationImplied || !awayCodes.includes(error.code)) return error
  const names = await mirrorNames(session)
  if (names.length === 0) return error
  const { code, message, object, hint = '' } = error
  const there = `What was mirrored can be listed, verified and restored from ${names.join(' or ')}: give that as --repository.`
  return new HoldfastError(code, message, { object, cause: error, hint: `${hint} ${there}`.trim() })
}

/** A configuration that is wrong must not hide that the repository is away. */
async function mirrorNames(session: Session): Promise<readonly string[]> {
  try {
    return (await configuredMirrors(session)).map(({ name }) => name)
  } catch (error) {
    if (error instanceof HoldfastError) return []
    throw error
  }
}
