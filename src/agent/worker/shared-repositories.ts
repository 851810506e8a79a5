import { Repository } from '../../repository/repository.ts'
import type { BackupStorage } from '../../storage/storage.ts'
import { abortable } from '../../util/abort.ts'

interface Shared {
  readonly opened: Promise<{ readonly storage: BackupStorage; readonly repository: Repository }>
  users: number
}

export interface SharedRepository extends AsyncDisposable {
  readonly repository: Repository
}

/**
 * One storage for all databases of a process: a storage has work of its own to do when it is opened, such as looking for what killed
 * processes left, and connections to keep. Closed when the last user is done.
 */
export class SharedRepositories<Address> {
  readonly #open: (address: Address) => Promise<BackupStorage>
  readonly #shared = new Map<string, Shared>()

  constructor(open: (address: Address) => Promise<BackupStorage>) {
    this.#open = open
  }

  /** To be disposed of when it is not needed any more. @throws as `Repository.open`; USAGE, ABORTED */
  async use(address: Address, signal: AbortSignal): Promise<SharedRepository> {
    const key = JSON.stringify(address)
    const shared = this.#shared.get(key) ?? { opened: this.#opened(address), users: 0 }
    this.#shared.set(key, shared)
    shared.users += 1
    let isUsed = true
    const done = async (): Promise<void> => {
      if (!isUsed) return
      isUsed = false
      shared.users -= 1
      if (shared.users > 0) return
      if (this.#shared.get(key) === shared) this.#shared.delete(key)
      const { storage } = await shared.opened
      await storage.close()
    }
    try {
      const { repository } = await abortable(shared.opened, signal)
      return { repository, [Symbol.asyncDispose]: done }
    } catch (thrown) {
      // One that could not be opened is not kept for the next, and has nothing to close.
      done().catch(() => {})
      throw thrown
    }
  }

  async #opened(address: Address): Promise<{ readonly storage: BackupStorage; readonly repository: Repository }> {
    const storage = await this.#open(address)
    try {
      return { storage, repository: await Repository.open(storage) }
    } catch (thrown) {
      await storage.close()
      throw thrown
    }
  }
}
