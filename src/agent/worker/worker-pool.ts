import { engineEntry } from '../../engine/entry.ts'
import { type Engine, startEngine } from '../../engine/host.ts'
import type { StorageLink } from '../../engine/storage-link.ts'
import { HoldfastError } from '../../errors.ts'
import { settledWithin } from '../../util/settled-within.ts'
import { type WorkerSignatures, workerApi } from './worker-api.ts'

export type Worker = Pick<Engine<WorkerSignatures>, 'call' | 'pid'>

/** A worker that is slow to give up one call is not to be killed for that: it follows other databases too. */
const graceMs = 120_000
/** {@link HungWorkers} ends those that hang, and tells of it. */
const silenceMs = Number.POSITIVE_INFINITY
/** When all end, nothing of theirs is left to wait for but what hangs. */
const closeMs = 2_000

/** A few processes over which the followed databases are spread. One that died is replaced when it is next needed. */
export class WorkerPool implements AsyncDisposable {
  readonly #start: () => Engine<WorkerSignatures>
  readonly #slots: { worker: Engine<WorkerSignatures> | undefined; databases: number }[]
  #isClosed = false

  /**
   * @param size how many processes, at most
   * @param entry the workers' program
   */
  constructor(link: Pick<StorageLink, 'handlers'>, size: number, entry: () => URL = workerEntry) {
    this.#start = () => startEngine(entry(), workerApi, { handlers: link.handlers, graceMs, silenceMs })
    this.#slots = Array.from({ length: Math.max(1, size) }, () => ({ worker: undefined, databases: 0 }))
  }

  /**
   * The one with the fewest databases, for one more; to be given back when that database is let go.
   * @throws ENGINE_DIED if none can be started, ABORTED after the end
   */
  take(): { readonly worker: Worker } & Disposable {
    if (this.#isClosed) throw new HoldfastError('ABORTED', 'The agent has stopped.')
    const slot = this.#slots.reduce((least, each) => (each.databases < least.databases ? each : least))
    if (slot.worker === undefined || slot.worker.hasEnded) slot.worker = this.#start()
    slot.databases += 1
    let isHeld = true
    return {
      worker: slot.worker,
      [Symbol.dispose]: () => {
        if (isHeld) slot.databases -= 1
        isHeld = false
      },
    }
  }

  /** Those that run now. */
  get workers(): readonly Worker[] {
    return this.#slots.flatMap(({ worker }) => (worker === undefined || worker.hasEnded ? [] : worker))
  }

  /** Ends one at once; whoever uses it learns why. One that has ended is none any more. */
  end(pid: number, reason: HoldfastError): void {
    this.#slots.find(({ worker }) => worker?.pid === pid)?.worker?.kill(reason)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    await Promise.all(this.#slots.map(({ worker }) => worker && end(worker)))
  }
}

function workerEntry(): URL {
  return engineEntry(import.meta.url, 'engine')
}

async function end(worker: Engine<WorkerSignatures>): Promise<void> {
  const ended = worker.close(2 * closeMs)
  if (!(await settledWithin(ended, closeMs))) worker.kill(hung(worker.pid))
  await ended
}

function hung(pid: number | undefined): HoldfastError {
  return new HoldfastError('ENGINE_DIED', `Worker process ${pid} did not end when it was told to, and was ended.`, {
    object: `process ${pid}`,
  })
}
