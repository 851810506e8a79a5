/** What is wrong with each of many things is told once, until it is something else, or was right meanwhile. */
export class ToldOnce {
  readonly #told = new Map<string, string>()

  /** Whether that is to be told of it now. */
  isNew(what: string, problem: string): boolean {
    if (this.#told.get(what) === problem) return false
    this.#told.set(what, problem)
    return true
  }

  /** It is right. */
  isOver(what: string): void {
    this.#told.delete(what)
  }
}
