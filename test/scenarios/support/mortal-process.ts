import { setTimeout as delay } from 'node:timers/promises'
import type { Capture } from '../../../src/capture/capture.ts'
import { followDatabase } from '../../../src/capture/follow-database.ts'
import type { FollowedSource, FollowOptions } from '../../../src/capture/follow-options.ts'
import { type HoldfastError, toHoldfastError } from '../../../src/errors.ts'
import type { DatabaseRepository } from '../../../src/repository/database-repository.ts'
import { Repository } from '../../../src/repository/repository.ts'
import type { FaultMoment } from '../../../src/storage/fault/fault-plan.ts'
import { FaultStorage } from '../../../src/storage/fault/fault-storage.ts'
import type { BackupStorage } from '../../../src/storage/storage.ts'
import { Fuse } from '../../capture/support/fuse.ts'
import type { MemoryFiles } from '../../capture/support/memory-files.ts'

const longLife = 1e15

/** What became of work: its result, its failure, or the end of the process that did it. */
export type Fate<T> = { readonly done: T } | { readonly failed: HoldfastError } | 'died'

/** At which of the next storage operations, counted from 0, a process dies. */
export interface Doom {
  readonly after: number
  readonly moment: FaultMoment
}

interface ChangingPlan {
  failAt: number
  moment: FaultMoment
  readonly crash: true
}

/** What a process does to storage and disk, until it dies: from then on nothing that it does has any effect. */
export class MortalProcess {
  readonly repository: Repository
  readonly #plan: ChangingPlan
  readonly #storage: FaultStorage
  readonly #fuse = new Fuse(longLife)
  readonly #files: MemoryFiles
  #capture: Capture | undefined

  private constructor(repository: Repository, storage: FaultStorage, plan: ChangingPlan, files: MemoryFiles) {
    this.repository = repository
    this.#storage = storage
    this.#plan = plan
    this.#files = files
  }

  static async begin(inner: BackupStorage, files: MemoryFiles): Promise<MortalProcess> {
    const plan: ChangingPlan = { failAt: Number.POSITIVE_INFINITY, moment: 'before', crash: true }
    const storage = new FaultStorage(inner, plan)
    return new MortalProcess(await Repository.open(storage), storage, plan, files)
  }

  get database(): DatabaseRepository {
    return this.repository.database('app')
  }

  get capture(): Capture | undefined {
    return this.#capture
  }

  async follow(source: FollowedSource, options: FollowOptions): Promise<void> {
    this.#capture = await followDatabase(source, this.repository, {
      ...options,
      database: 'app',
      files: this.#files.as(this.#fuse),
    })
  }

  async stop(): Promise<void> {
    await this.#capture?.stop()
    this.#capture = undefined
  }

  /** Whatever is under way comes to nothing. */
  async die(): Promise<void> {
    this.#plan.failAt = Math.min(this.#plan.failAt, this.#storage.operations.length - 1)
    this.#fuse.steps = 2 * longLife
    // It cannot let go of anything any more, and fails at that.
    await this.#capture?.stop({ waitMs: 0 }).catch(() => {})
    this.#capture = undefined
  }

  async attempt<T>(work: () => Promise<T>, doom?: Doom): Promise<Fate<T>> {
    if (doom !== undefined) {
      this.#plan.failAt = this.#storage.operations.length + doom.after
      this.#plan.moment = doom.moment
    }
    let fate: Fate<T> | undefined
    const settled = work().then(
      (done) => {
        fate = { done }
      },
      (thrown: unknown) => {
        fate = { failed: toHoldfastError(thrown) }
      },
    )
    // Work that waits for the storage to come back would wait for ever.
    while (fate === undefined && !this.#storage.tripped) await delay(2)
    if (this.#storage.tripped) await this.die()
    else this.#plan.failAt = Number.POSITIVE_INFINITY
    await settled
    return this.#storage.tripped ? 'died' : (fate ?? 'died')
  }
}
