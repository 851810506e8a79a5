import { hasCode, toHoldfastError } from '../errors.ts'
import type { Repository } from '../repository/repository.ts'
import type { AgentDatabase } from './agent-databases.ts'
import type { AgentLog } from './agent-log.ts'
import { awayCodes } from './away-codes.ts'
import type { FreshnessBook } from './freshness-book.ts'
import { requireOwnHistory } from './jobs/require-own-history.ts'
import type { RepositoryWatch } from './repository-watch.ts'
import { isBackup } from './schedule/schedule-spec.ts'
import type { Scheduler } from './schedule/scheduler.ts'
import type { SinceOf } from './schedule/timetable.ts'
import { ToldOnce } from './told-once.ts'

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
 * its schedules, the backup that was missed since the newest one is caught up, and so are verifications and drills. A database that has no backup and is not followed gets its first one now, not when its schedule comes round:
 * also where the backups under its name are another's, so that this is told.
 */
export class FirstLook {
  readonly #context: FirstLookContext
  /** Of which the repository was not asked yet, or could not be. */
  readonly #pending = new Set<string>()
  /** By name: of what could not be read. */
  readonly #unread = new ToldOnce()
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
          this.#unread.isOver(name)
        } catch (thrown) {
          if (signal.aborted) return
          const error = toHoldfastError(thrown, name)
          const { message } = error
          if (this.#unread.isNew(name, message))
            this.#context.log.warn(`What the repository has of ${name} could not be read. ${message}`, {
              database: name,
            })
          isAway ||= hasCode(error, ...awayCodes, 'REPOSITORY_NOT_FOUND')
        }
      }
    }
    await Promise.all(Array.from({ length: atOnce }, lookOn))
    if (!signal.aborted) for (const name of this.#pending) this.#context.scheduler.set(name, this.#schedulesOf(name))
  }

  async #lookAt(name: string, signal: AbortSignal): Promise<void> {
    const { repository, freshness, repositoryWatch, scheduler, find } = this.#context
    const database = find(name)
    if (database === undefined) return
    const checks = await repositoryWatch.readVerifications(name, signal)
    const { newestBackupAt } = await freshness.read(repository.database(name), signal)
    // What was done says nothing of a schedule that is added to others.
    const isForgotten = !scheduler.remembers(name)
    const createdAt = isForgotten && checks !== undefined ? await this.#createdAt(name, signal) : undefined
    const since: SinceOf = ({ action }) => {
      if (isBackup(action)) return newestBackupAt
      if (action === 'verify') return checks?.verifiedAt ?? createdAt
      return action === 'drill' ? (checks?.drilledAt ?? createdAt) : undefined
    }
    const schedules = this.#schedulesOf(name)
    scheduler.set(name, schedules, isForgotten ? { since } : {})
    const first = schedules.find(({ action }) => action === 'full' || action === 'incremental')
    if (first === undefined || find(name)?.followed !== undefined) return
    if (newestBackupAt !== undefined && (await this.#isOwn(database, signal))) return
    // Nobody waits for it, so it is told of like what its schedule asks for.
    scheduler.runNow(name, first.id, 'schedule').catch(() => {
      // The operation has told of it.
    })
  }

  async #isOwn(database: AgentDatabase, signal: AbortSignal): Promise<boolean> {
    try {
      await requireOwnHistory(this.#context.repository, database, signal)
      return true
    } catch (thrown) {
      if (hasCode(thrown, 'NAME_TAKEN')) return false
      throw thrown
    }
  }

  /** When the repository got to know a database: since then it could have been verified. */
  async #createdAt(name: string, signal: AbortSignal): Promise<number | undefined> {
    try {
      const record = await this.#context.repository.database(name).record({ signal })
      return record === undefined ? undefined : Date.parse(record.createdAt)
    } catch (thrown) {
      // A verification tells of that.
      if (hasCode(thrown, 'INTEGRITY', 'FORMAT_TOO_NEW')) return undefined
      throw thrown
    }
  }

  /** None, if it is not looked after any more. */
  #schedulesOf(name: string): AgentDatabase['config']['schedules'] {
    return this.#context.find(name)?.config.schedules ?? []
  }
}
