import type { HistoryEnd } from './history-end.ts'

/** Remembers the states that a capture comes by, for as long as somebody wants to recognise one of them. */
export class StateWatch {
  readonly #watching = new Set<HistoryEnd[]>()

  /** @param from the newest state now */
  begin(from: HistoryEnd): { readonly states: readonly HistoryEnd[] } & Disposable {
    const states = [from]
    this.#watching.add(states)
    return { states, [Symbol.dispose]: () => void this.#watching.delete(states) }
  }

  get isWatched(): boolean {
    return this.#watching.size > 0
  }

  /** Only of states that are in the spool: a number that was given up may be given again. */
  note(state: HistoryEnd): void {
    for (const states of this.#watching) states.push(state)
  }
}
