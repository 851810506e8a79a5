import { readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { readOracle } from '../../support/oracle.ts'

export interface Seen {
  /** Salts in the log's header: others after every reset. Undefined where there is no log. */
  readonly salts: string | undefined
  readonly seq: number
  /** The commit was made in this very log. */
  readonly isInLog: boolean
}

/**
 * Knows, from outside, whether the log still holds all that was committed since the last state that was acknowledged: it does as
 * long as its salts are those under which an acknowledged commit was made.
 */
export class LogWitness {
  readonly #path: string
  #last: Seen | undefined
  /** Salts of a log in which an acknowledged commit was made. */
  #anchor: string | undefined

  constructor(path: string) {
    this.#path = path
  }

  look(): Seen {
    const before = logSalts(this.#path)
    using database = new DatabaseSync(this.#path, { readOnly: true, timeout: 60_000 })
    const { seq } = readOracle(database)
    const salts = logSalts(this.#path) === before ? before : undefined
    const last = this.#last
    const isInLog = salts !== undefined && last?.salts === salts && (seq > last.seq || last.isInLog)
    this.#last = { salts, seq, isInLog }
    return this.#last
  }

  /** A state that is at least as new as what was seen is in the repository. */
  confirm({ salts, isInLog }: Seen): void {
    if (isInLog) this.#anchor = salts
  }

  /** Salts of the log that holds all that came after an acknowledged commit, as far as is known. */
  get anchor(): string | undefined {
    return this.#anchor
  }

  /** The log is still that one: it was not reset in between, since salts never come back. */
  isIntact(anchor: string | undefined): boolean {
    return anchor !== undefined && logSalts(this.#path) === anchor
  }
}

/** Of the log's header, while there is a log. Reading its file does no harm to SQLite's locks, which are on the other two. */
export function logSalts(path: string): string | undefined {
  try {
    const salts = readFileSync(`${path}-wal`).subarray(16, 24)
    return salts.length === 8 ? salts.toString('hex') : undefined
  } catch {
    return undefined
  }
}
