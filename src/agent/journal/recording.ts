import type { DatabaseSync } from 'node:sqlite'
import { type ErrorCode, toHoldfastError } from '../../errors.ts'
import { counted } from '../../util/counted.ts'
import { formatTime } from '../../util/format-time.ts'
import type { JournalFile } from './journal-file.ts'
import { WriteQueue } from './write-queue.ts'

export interface RecordingOptions {
  /** Told, once each until that is over, what keeps operations from being recorded; they go on. */
  readonly onWarning: (message: string, object: string, code: ErrorCode) => void
  /** Told when operations are recorded again. */
  readonly onRecovered?: ((message: string) => void) | undefined
}

/** Why nothing can be recorded just now. */
export interface RecordingTrouble {
  readonly message: string
  /** Milliseconds since 1970. */
  readonly since: number
}

/** Writes to a journal, in order. What cannot be written is told, and is lost. */
export class Recording {
  readonly #path: string
  readonly #queue: WriteQueue
  readonly #options: RecordingOptions
  readonly #now: () => number
  readonly #waiting = new Set<Promise<unknown>>()
  /** What was told of the present trouble. */
  readonly #told = new Set<string>()
  #trouble: RecordingTrouble | undefined
  #lost = 0

  /** @param now milliseconds since 1970 */
  constructor(file: JournalFile, options: RecordingOptions, now: () => number) {
    this.#path = file.path
    this.#queue = new WriteQueue(file)
    this.#options = options
    this.#now = now
  }

  /** Undefined if what came last could be written. */
  get trouble(): RecordingTrouble | undefined {
    return this.#trouble
  }

  /** Resolves when it is durable; undefined if it cannot be. Never fails. @param isEntry whether the audit log lacks an entry without it */
  write<T>(work: (database: DatabaseSync) => T, isEntry: boolean): Promise<T | undefined> {
    const writing = this.#write(work, isEntry)
    this.#waiting.add(writing)
    const done = () => this.#waiting.delete(writing)
    writing.then(done, done)
    return writing
  }

  /** Resolves when nothing waits to be written any more. */
  async idle(): Promise<void> {
    while (this.#waiting.size > 0) await Promise.allSettled(this.#waiting)
  }

  async #write<T>(work: (database: DatabaseSync) => T, isEntry: boolean): Promise<T | undefined> {
    let result: T
    try {
      result = await this.#queue.add(work)
    } catch (thrown) {
      this.#failed(thrown, isEntry)
      return undefined
    }
    this.#written()
    return result
  }

  #written(): void {
    if (this.#trouble === undefined) return
    const lost = this.#lost === 0 ? 'No entry' : counted(this.#lost, 'entry', 'entries')
    const message = `What is done is recorded in the history and the audit log again. ${lost} of the audit log ${this.#lost > 1 ? 'are' : 'is'} missing since ${formatTime(this.#trouble.since)}.`
    this.#trouble = undefined
    this.#lost = 0
    this.#told.clear()
    this.#options.onRecovered?.(message)
  }

  #failed(thrown: unknown, isEntry: boolean): void {
    const { message, hint, code } = toHoldfastError(thrown, this.#path)
    const text = `What is done cannot be recorded in the history and the audit log. ${message}${hint === undefined ? '' : ` ${hint}`}`
    this.#trouble = { message: text, since: this.#trouble?.since ?? this.#now() }
    if (isEntry) this.#lost += 1
    if (this.#told.has(text)) return
    this.#told.add(text)
    this.#options.onWarning(text, this.#path, code)
  }
}
