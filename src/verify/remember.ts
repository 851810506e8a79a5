import { hasCode } from '../errors.ts'
import { updateLedger } from '../repository/verification-ledger.ts'
import type { Clocks } from './clocks.ts'
import type { DatabaseVerification } from './database-verification.ts'

/** Results are written down so often, in milliseconds: a run that is killed need not be done again from its beginning. */
const saveEveryMs = 30_000

/** Writes down what was verified: now and then, and at the end of the scope also if the verification failed or was stopped. */
export class Memory implements AsyncDisposable {
  readonly #clocks: Clocks
  readonly #unsaved = new Set<DatabaseVerification>()
  readonly #failures = new Map<string, string>()
  #savedAt: number

  constructor(clocks: Clocks) {
    this.#clocks = clocks
    this.#savedAt = clocks.monotonic()
  }

  /** There are new results of this database. */
  async note(part: DatabaseVerification): Promise<void> {
    this.#unsaved.add(part)
    if (this.#clocks.monotonic() - this.#savedAt >= saveEveryMs) await this.save()
  }

  /** It must not depend on a signal: what was checked before somebody stopped the run need not be checked again. */
  async save(): Promise<void> {
    for (const part of this.#unsaved) {
      this.#unsaved.delete(part)
      await this.#saveOne(part)
    }
    this.#savedAt = this.#clocks.monotonic()
  }

  /** What is to be said of a repository that cannot be written to, and yet can be verified. */
  get warnings(): string[] {
    return [...this.#failures.values()]
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.save()
  }

  async #saveOne(part: DatabaseVerification): Promise<void> {
    const { database } = part
    try {
      const results = await part.lasting()
      await updateLedger(database, results, part.existing, { now: this.#clocks.now() })
    } catch (error) {
      if (!hasCode(error, 'DISK_FULL', 'STORAGE_DENIED')) throw error
      const warning = `What was verified of ${database.name} could not be remembered for later runs. ${error.message}`
      this.#failures.set(database.name, warning)
    }
  }
}
