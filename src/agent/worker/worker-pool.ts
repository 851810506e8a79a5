import { engineEntry } from '../../engine/entry.ts'
import { type Engine, startEngine } from '../../engine/host.ts'
import type { StorageLink } from '../../engine/storage-link.ts'
import { type WorkerSignatures, workerApi } from './worker-api.ts'

export type Worker = Engine<WorkerSignatures>

/** A worker that is slow to give up one call is not to be killed for that: it follows other databases too. */
const graceMs = 120_000

/** A few processes over which the followed databases are spread. One that died is replaced when it is next needed. */
export class WorkerPool implements AsyncDisposable {
  readonly #link: Pick<StorageLink, 'handlers'>
  readonly #slots: { worker: Worker | undefined; databases: number }[]

  /** @param size how many processes, at most */
  constructor(link: Pick<StorageLink, 'handlers'>, size: number) {
    this.#link = link
    this.#slots = Array.from({ length: Math.max(1, size) }, () => ({ worker: undefined, databases: 0 }))
  }

  /** The one with the fewest databases, for one more; to be given back when that database is let go. */
  take(): { readonly worker: Worker } & Disposable {
    const slot = this.#slots.reduce((least, each) => (each.databases < least.databases ? each : least))
    slot.databases += 1
    const { handlers } = this.#link
    slot.worker ??= startEngine(engineEntry(import.meta.url, 'engine'), workerApi, { handlers, graceMs })
    let isHeld = true
    return {
      worker: slot.worker,
      [Symbol.dispose]: () => {
        if (isHeld) slot.databases -= 1
        isHeld = false
      },
    }
  }

  /** It died: who needs it next gets a new one. */
  replace(dead: Worker): void {
    for (const slot of this.#slots) if (slot.worker === dead) slot.worker = undefined
  }

  /** Those that run now. */
  get workers(): readonly Worker[] {
    return this.#slots.flatMap(({ worker }) => worker ?? [])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { workers } = this
    for (const slot of this.#slots) slot.worker = undefined
    await Promise.all(workers.map((worker) => worker.close()))
  }
}
