import { HoldfastError, hasCode, toHoldfastError } from '../../errors.ts'
import type { DatabaseRecord } from '../../repository/marker.ts'
import type { Repository } from '../../repository/repository.ts'
import { isSameFile } from '../../util/is-same-file.ts'
import { settledWithin } from '../../util/settled-within.ts'
import type { AgentLog } from '../agent-log.ts'
import type { KnownPlaces } from './name-book.ts'

export interface RecordedPlacesContext {
  readonly repository: Pick<Repository, 'database'>
  readonly log: Pick<AgentLog, 'debug'>
  readonly signal: AbortSignal
  /** Where a storage hangs, an answer is waited for so long, in milliseconds; default 10 s. */
  readonly patienceMs?: number | undefined
}

const usualPatienceMs = 10_000

/** Where the databases of a repository were first backed up from, for one look at what there is: one that is away is asked once. */
export class RecordedPlaces implements KnownPlaces {
  readonly #context: RecordedPlacesContext
  #isAway = false

  constructor(context: RecordedPlacesContext) {
    this.#context = context
  }

  async isAt(name: string, path: string): Promise<boolean | undefined> {
    if (this.#isAway) return undefined
    try {
      const record = await this.#record(name)
      return record !== undefined && (await isSameFile(record.location, path))
    } catch (thrown) {
      // What is damaged says nothing, and is not asked again for that: whoever writes to it says so.
      if (hasCode(thrown, 'INTEGRITY', 'STORAGE_CORRUPT', 'FORMAT_TOO_NEW')) return false
      this.#isAway = true
      this.#context.log.debug(
        `What is called ${name} in the repository cannot be told. ${toHoldfastError(thrown).message}`,
      )
      return undefined
    }
  }

  async #record(name: string): Promise<DatabaseRecord | undefined> {
    const { repository, signal, patienceMs = usualPatienceMs } = this.#context
    const reading = repository.database(name).record({ signal })
    if (await settledWithin(reading, patienceMs)) return await reading
    throw new HoldfastError('STORAGE_TRANSIENT', `The repository has not answered for ${patienceMs / 1000} s.`, {
      object: name,
    })
  }
}
