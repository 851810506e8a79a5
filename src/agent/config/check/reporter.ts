import { mayBeSecret } from '../may-be-secret.ts'
import type { ProblemFacts } from '../problem.ts'
import type { ConfigPath } from '../yaml/config-path.ts'
import type { Places } from '../yaml/read-document.ts'

/** Collects what is wrong with what is said, once its form is right. */
export class Reporter {
  readonly problems: ProblemFacts[] = []
  readonly #places: Places
  readonly #told: ReadonlySet<string>

  /** @param told what was found before: of values that could not be read, no more is told */
  constructor(places: Places, told: readonly ProblemFacts[]) {
    this.#places = places
    this.#told = new Set(told.map(({ path }) => path))
  }

  /** The value is wrong. */
  value(path: ConfigPath, message: string, facts: Partial<ProblemFacts> = {}): void {
    const isHarmless = !mayBeSecret(path)
    this.#add({ path: this.#places.textOf(path), span: this.#places.spanOf(path), isHarmless, message, ...facts })
  }

  /** It should not be there at all. */
  key(path: ConfigPath, message: string): void {
    this.#add({ path: this.#places.textOf(path), span: this.#places.keySpanOf(path), message })
  }

  #add(facts: ProblemFacts): void {
    if (!this.#told.has(facts.path)) this.problems.push(facts)
  }
}
