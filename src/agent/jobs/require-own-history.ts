import { checkIdentity } from '../../backup/identity.ts'
import type { Repository } from '../../repository/repository.ts'
import { unnamedIn } from '../discovery/unnamed-in.ts'
import type { DatabaseToBackUp } from './back-up.ts'

/** What is to be written to a database's history must not go to that of another which has its name. @throws NAME_TAKEN, STORAGE_* */
export async function requireOwnHistory(
  repository: Pick<Repository, 'database'>,
  { name, path, config }: DatabaseToBackUp,
  signal: AbortSignal,
): Promise<void> {
  const choice = { database: name, unnamedIn: unnamedIn(config), signal }
  await checkIdentity({ location: path }, repository.database(name), choice)
}
