import { hasCode, toHoldfastError } from '../errors.ts'
import { requireMarker } from '../repository/require-marker.ts'
import type { BackupStorage } from '../storage/storage.ts'
import { settledWithin } from '../util/settled-within.ts'
import type { AgentLog } from './agent-log.ts'
import { observeRepository, repositoryKey } from './notify/conditions/repository.ts'
import type { Notifier } from './notify/notifier.ts'

export interface RepositoryPresenceContext {
  readonly storage: Pick<BackupStorage, 'url' | 'head'>
  readonly notifier: Pick<Notifier, 'observe' | 'firing'>
  readonly log: Pick<AgentLog, 'debug'>
  /** A file system that hangs is waited for so long, in milliseconds; default 5 s. */
  readonly patienceMs?: number | undefined
}

const usualPatienceMs = 5_000

/**
 * Whether the repository is there: where its disk is not mounted there is an empty folder, in which nothing fails. In a folder, it is looked at
 * in each round; elsewhere, where that costs a request, only while there is a reason to doubt it.
 */
export class RepositoryPresence {
  readonly #context: RepositoryPresenceContext
  #isDoubted = false
  #looking: Promise<boolean> | undefined

  constructor(context: RepositoryPresenceContext) {
    this.#context = context
  }

  /** It may be gone. */
  doubt(): void {
    this.#isDoubted = true
  }

  /** Never fails. @returns whether it is gone, as far as can be told in time */
  async look(signal: AbortSignal): Promise<boolean> {
    const { storage, notifier, patienceMs = usualPatienceMs } = this.#context
    const wasGone = notifier.firing.some(({ key }) => key === repositoryKey)
    if (!storage.url.startsWith('file:') && !this.#isDoubted && !wasGone) return false
    this.#looking ??= this.#look(signal).finally(() => {
      this.#looking = undefined
    })
    const looking = this.#looking
    return (await settledWithin(looking, patienceMs)) ? await looking : wasGone
  }

  async #look(signal: AbortSignal): Promise<boolean> {
    const { storage, notifier, log } = this.#context
    try {
      await requireMarker(storage, { signal })
      this.#isDoubted = false
      notifier.observe(observeRepository(storage.url, true))
      return false
    } catch (thrown) {
      if (hasCode(thrown, 'REPOSITORY_NOT_FOUND')) {
        notifier.observe(observeRepository(storage.url, false))
        return true
      }
      if (!signal.aborted)
        log.debug(`Whether the repository is there cannot be told. ${toHoldfastError(thrown).message}`)
      return notifier.firing.some(({ key }) => key === repositoryKey)
    }
  }
}
