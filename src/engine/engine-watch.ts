import { looksInLimit, Silence } from './silence.ts'

export interface EngineWatchContext {
  /** Asks it for a sign of life. */
  readonly ping: () => void
  /** What it has used of the processor; undefined where the system does not tell. */
  readonly cpuTime: () => number | undefined
  /** Told once for each start. @param silentMs since its last word, by the looks that there were */
  readonly onHang: (silentMs: number) => void
}

/** Tells of an engine that hangs: whose thread that answers calls does not answer a ping either. Whether calls get on is not asked. */
export class EngineWatch {
  readonly #limitMs: number
  readonly #context: EngineWatchContext
  #silence = new Silence()
  #timer: NodeJS.Timeout | undefined

  /** @param limitMs how long it may be silent; `Infinity`: for ever */
  constructor(limitMs: number, context: EngineWatchContext) {
    this.#limitMs = limitMs
    this.#context = context
  }

  start(): void {
    if (!Number.isFinite(this.#limitMs)) return
    this.#silence = new Silence()
    this.#timer = setInterval(() => this.#look(), this.#limitMs / looksInLimit).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  /** It said something. */
  heard(): void {
    this.#silence.end()
  }

  #look(): void {
    const { ping, cpuTime, onHang } = this.#context
    // One that was asked and says nothing is not asked again.
    if (this.#silence.length === 0) ping()
    this.#silence.look(cpuTime())
    if (!this.#silence.isTooLong) return
    this.stop()
    onHang((this.#silence.length * this.#limitMs) / looksInLimit)
  }
}
