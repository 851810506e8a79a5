import { toHoldfastError } from '../errors.ts'
import type { AgentLog } from './agent-log.ts'
import type { FreshnessBook } from './freshness-book.ts'
import type { Journal } from './journal/journal.ts'

export interface MadeBackupsContext {
  readonly journal: Pick<Journal, 'operations'>
  readonly repository: { readonly url: string }
  readonly freshness: Pick<FreshnessBook, 'wasBackedUp'>
  readonly log: Pick<AgentLog, 'warn'>
}

/** So many of the newest are looked at. */
const mostRead = 10_000

/** Remembers when backups were made before this agent started. Never fails: without the journal, the repository tells roughly. */
export async function recallMadeBackups({ journal, repository, freshness, log }: MadeBackupsContext): Promise<void> {
  try {
    for (const { database, outcome, startedAt } of await journal.operations({
      kind: 'backup',
      repository: repository.url,
      limit: mostRead,
    })) {
      const isMade = outcome === 'succeeded' || outcome === 'warning'
      if (database !== undefined && isMade) freshness.wasBackedUp(database, startedAt)
    }
  } catch (thrown) {
    log.warn(`When backups were made before cannot be told. ${toHoldfastError(thrown).message}`)
  }
}
