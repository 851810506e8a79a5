import type { Lsn } from '../history/lsn.ts'
import { aborted } from '../util/abort.ts'

export interface SyncRequest {
  /** `kept`: what was committed is in the spool at least; `durable`: in the repository. */
  readonly until: 'kept' | 'durable'
  readonly resolve: (lsn: Lsn) => void
  readonly reject: (error: unknown) => void
}

/** What is asked of a running capture from outside, and how its waiting is cut short for that. */
export class Requests {
  readonly #stop = new AbortController()
  #syncs: SyncRequest[] = []
  #wake = new AbortController()

  get stopping(): boolean {
    return this.#stop.signal.aborted
  }

  /** Fires when the capture is to stop. */
  get stopSignal(): AbortSignal {
    return this.#stop.signal
  }

  /** Fires when there is something to do; {@link takeSyncs} arms it anew. */
  get wakeSignal(): AbortSignal {
    return this.#wake.signal
  }

  stop(): void {
    this.#stop.abort()
    this.wake()
  }

  sync(until: SyncRequest['until'] = 'durable'): Promise<Lsn> {
    const { promise, resolve, reject } = Promise.withResolvers<Lsn>()
    this.#syncs.push({ until, resolve, reject })
    this.wake()
    return promise
  }

  wake(): void {
    this.#wake.abort()
  }

  /** All requests that came so far: what was committed before them is there to be taken now. */
  takeSyncs(): SyncRequest[] {
    if (!this.stopping) this.#wake = new AbortController()
    return this.#syncs.splice(0)
  }

  /** They could not be answered this time. */
  putBack(syncs: readonly SyncRequest[]): void {
    this.#syncs.unshift(...syncs)
  }

  /**
   * Commits cannot be kept at present. Who waits for the repository waits on; who waits for the spool holds something still meanwhile,
   * and must not for as long as that lasts.
   */
  putOff(syncs: readonly SyncRequest[], error: unknown): void {
    const waiting = Map.groupBy(syncs, ({ until }) => until)
    for (const { reject } of waiting.get('kept') ?? []) reject(error)
    this.putBack(waiting.get('durable') ?? [])
  }

  rejectAll(error: unknown = aborted()): void {
    for (const { reject } of this.#syncs.splice(0)) reject(error)
  }
}
