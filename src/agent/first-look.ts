import { toHoldfastError } from '../errors.ts'
import type { Repository } from '../repository/repository.ts'
import type { AgentDatabase } from './agent-databases.ts'
import type { AgentLog } from './agent-log.ts'
import type { FreshnessBook } from './freshness-book.ts'
import type { RepositoryWatch } from './repository-watch.ts'
import { isBackup } from './schedule/schedule-spec.ts'
import type { Scheduler } from './schedule/scheduler.ts'

export interface FirstLookContext {
  readonly repository: Pick<Repository, 'database'>
  readonly find: (name: string) => AgentDatabase | undefined
  readonly scheduler: Pick<Scheduler, 'set' | 'runNow' | 'remembers'>
  readonly freshness: Pick<FreshnessBook, 'read'>
  readonly repositoryWatch: Pick<RepositoryWatch, 'readVerifications'>
  readonly log: Pick<AgentLog, 'warn'>
}

/** So many databases are asked about at once. */
const atOnce = 8

/**
 * What the repository has of a database when the agent begins to look after it. Should nothing be remembered of
 * its schedules, the backup that was missed since the newest one is caught up. A database that has no backup and is not followed gets its first one now, not when its schedule comes round.
 */
export class FirstLook {
  readonly #context: FirstLookContext
  /** Of which the repository was not asked yet, or could not be. */
  readonly #pending = new Set<string>()
  #looking: Promise<void> | undefined

  constructor(context: FirstLookContext) {
    this.#context = context
  }

  add(name: string): void {
    this.#pending.add(name)
  }

  /** Never fails. Those of which the repository cannot be asked now are left for the next time; their schedules count from now on. */
  look(signal: AbortSignal): Promise<void> {
    this.#looking ??= this.#look(signal).finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  async #look(signal: AbortSignal): Promise<void> {
    // One that is away would only be waited for again and again.
    let isAway = false
    const names = this.#pending.values()
    const lookOn = async (): Promise<void> => {
      for (const name of names) {
        if (isAway || signal.aborted) return
        try {
          await this.#lookAt(name, signal)
          this.#pending.delete(name)
        } catch (thrown) {
          if (signal.aborted) return
          isAway = true
          const { message } = toHoldfastError(thrown, name)
          this.#context.log.warn(`What the repository has of ${name} could not be read. ${message}`, { database: name })
        }
      }
    }
    await Promise.all(Array.from({ length: atOnce }, lookOn))
    if (isAway) for (const name of this.#pending) this.#context.scheduler.set(name, this.#schedulesOf(name))
  }

  async #lookAt(name: string, signal: AbortSignal): Promise<void> {
    const { repository, freshness, repositoryWatch, scheduler, find } = this.#context
    if (find(name) === undefined) return
    await repositoryWatch.readVerifications(name, signal)
    const { newestBackupAt } = await freshness.read(repository.database(name), signal)
    const schedules = this.#schedulesOf(name)
    // That a backup was made says nothing of when something else was due, nor of a schedule that is added to others.
    const isForgotten = !scheduler.remembers(name)
    scheduler.set(name, schedules, {
      since: ({ action }) => (isForgotten && isBackup(action) ? newestBackupAt : undefined),
    })
    const first = schedules.find(({ action }) => action === 'full' || action === 'incremental')
    if (newestBackupAt !== undefined || first === undefined || find(name)?.followed !== undefined) return
    // Nobody waits for it, so it is told of like what its schedule asks for.
    scheduler.runNow(name, first.id, 'schedule').catch(() => {
      // The operation has told of it.
    })
  }

  /** None, if it is not looked after any more. */
  #schedulesOf(name: string): AgentDatabase['config']['schedules'] {
    return this.#context.find(name)?.config.schedules ?? []
  }
}
