import { engineEntry } from '../../engine/entry.ts'
import { type Engine, startEngine } from '../../engine/host.ts'
import { HoldfastError, hasCode } from '../../errors.ts'
import { formatDuration } from '../../util/format-duration.ts'
import { type JournalPlace, type JournalSignatures, type JournalWarning, journalApi } from './journal-api.ts'

export interface JournalProcessOptions {
  /** The Node.js that runs it; default: the one that runs this process. */
  readonly execPath?: string | undefined
  /** How long it stays when nothing is asked of it, in milliseconds; default 5,000. */
  readonly lingerMs?: number | undefined
  /** How long an answer is waited for, in milliseconds, but for much of the journal at once; default 10,000. */
  readonly patienceMs?: number | undefined
}

type Input<Name extends keyof JournalSignatures> = Omit<JournalSignatures[Name]['input'], 'place'>

const defaultLingerMs = 5_000
/** Longer than a journal may be held by another process. */
const defaultPatienceMs = 10_000
/** Who asks for much of it waits for that, and nobody else does. */
const bulky: readonly string[] = ['operations', 'merge', 'audit'] satisfies (keyof JournalSignatures)[]
const bulkyPatienceMs = 120_000
/** A write cannot be called off: a process that does not answer is killed. */
const graceMs = 1_000

/** Has the journal written by a process of its own, which is there only while it is needed. */
export class JournalProcess implements AsyncDisposable {
  readonly #place: JournalPlace
  readonly #options: JournalProcessOptions
  readonly #onWarning: (warning: JournalWarning) => void
  #engine: Engine<JournalSignatures> | undefined
  readonly #calls = new Set<Promise<unknown>>()
  #idle: NodeJS.Timeout | undefined

  constructor(place: JournalPlace, options: JournalProcessOptions, onWarning: (warning: JournalWarning) => void) {
    this.#place = place
    this.#options = options
    this.#onWarning = onWarning
  }

  /** Undefined while none is needed. */
  get pid(): number | undefined {
    return this.#engine?.pid
  }

  /** @throws what the journal throws; DATABASE_BUSY if it does not answer in time, ENGINE_DIED */
  async call<Name extends keyof JournalSignatures & string>(
    name: Name,
    input: Input<Name>,
  ): Promise<JournalSignatures[Name]['output']> {
    clearTimeout(this.#idle)
    const call = this.#callAgain(name, input)
    this.#calls.add(call)
    try {
      return await call
    } finally {
      this.#calls.delete(call)
      if (this.#calls.size === 0) this.#linger()
    }
  }

  /** Ends the process when it has answered; another call starts it again. */
  async [Symbol.asyncDispose](): Promise<void> {
    while (this.#calls.size > 0) await Promise.allSettled(this.#calls)
    clearTimeout(this.#idle)
    const engine = this.#engine
    this.#engine = undefined
    await engine?.close()
  }

  /** Somebody may end it alone, or with this process, which still has something to say. What it had written is the same once more. */
  async #callAgain<Name extends keyof JournalSignatures & string>(
    name: Name,
    input: Input<Name>,
  ): Promise<JournalSignatures[Name]['output']> {
    try {
      return await this.#call(name, input)
    } catch (thrown) {
      if (!hasCode(thrown, 'ENGINE_DIED', 'ABORTED')) throw thrown
      return await this.#call(name, input)
    }
  }

  async #call<Name extends keyof JournalSignatures & string>(
    name: Name,
    input: Input<Name>,
  ): Promise<JournalSignatures[Name]['output']> {
    const { patienceMs: usualMs = defaultPatienceMs } = this.#options
    const patienceMs = bulky.includes(name) ? Math.max(usualMs, bulkyPatienceMs) : usualMs
    const patience = new AbortController()
    const timer = setTimeout(() => patience.abort(), patienceMs)
    try {
      const engine = this.#started()
      const whole = { ...input, place: this.#place }
      return await engine.call(name, whole, { signal: patience.signal, onEvent: this.#onWarning })
    } catch (thrown) {
      throw patience.signal.aborted ? this.#noAnswer(patienceMs, thrown) : thrown
    } finally {
      clearTimeout(timer)
    }
  }

  #started(): Engine<JournalSignatures> {
    if (this.#engine?.hasEnded === false) return this.#engine
    const { execPath } = this.#options
    this.#engine = startEngine(engineEntry(import.meta.url, 'engine'), journalApi, { execPath, graceMs })
    return this.#engine
  }

  #linger(): void {
    const { lingerMs = defaultLingerMs } = this.#options
    this.#idle = setTimeout(() => void this[Symbol.asyncDispose](), lingerMs).unref()
  }

  #noAnswer(patienceMs: number, cause: unknown): HoldfastError {
    const { path } = this.#place
    return new HoldfastError(
      'DATABASE_BUSY',
      `The journal ${path} gave no answer within ${formatDuration(patienceMs)}.`,
      {
        object: path,
        cause,
        hint: 'See whether its disk answers, and which process holds it open (fuser, lsof).',
      },
    )
  }
}
