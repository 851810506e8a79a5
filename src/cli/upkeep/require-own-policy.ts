import type { FoundDatabase } from '../../agent/discovery/discover.ts'
import { requireOwnHistory } from '../../agent/jobs/require-own-history.ts'
import { nameTakenHint } from '../../backup/identity.ts'
import { HoldfastError, hasCode } from '../../errors.ts'
import type { Repository } from '../../repository/repository.ts'

/** What one file's entry says to keep must not judge the history of another that has its name. @throws NAME_TAKEN, STORAGE_* */
export async function requireOwnPolicy(
  repository: Repository,
  configured: FoundDatabase,
  signal: AbortSignal,
): Promise<void> {
  const { name, path } = configured
  try {
    await requireOwnHistory(repository, configured, signal)
  } catch (cause) {
    if (!hasCode(cause, 'NAME_TAKEN')) throw cause
    const record = await repository.database(name).record({ signal })
    throw new HoldfastError(
      'NAME_TAKEN',
      `The history of ${name} is that of ${record?.location ?? 'another database'}, but the configuration speaks of ${path}, so what it says to keep does not count.`,
      {
        object: name,
        hint: `Give a policy by options such as --keep-daily. ${nameTakenHint.configuration(name)}`,
        cause,
      },
    )
  }
}
