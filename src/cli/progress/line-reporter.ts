import { plainLine } from './line.ts'
import type { ProgressReporter, Task } from './reporter.ts'
import { Tasks } from './tasks.ts'

const everyMs = 10_000

/** For logs: a line for each running operation about every ten seconds, the first after ten. */
export class LineReporter implements ProgressReporter {
  readonly #write: (line: string) => void
  readonly #now: () => number
  readonly #tasks: Tasks
  #writtenAt: number

  constructor(write: (line: string) => void, now: () => number) {
    this.#write = write
    this.#now = now
    this.#tasks = new Tasks(now)
    this.#writtenAt = now()
  }

  task(label: string): Task {
    return this.#tasks.add(label, { changed: () => this.#report(), ended: () => {} })
  }

  clear(): void {}

  #report(): void {
    const now = this.#now()
    if (now - this.#writtenAt < everyMs) return
    this.#writtenAt = now
    for (const { label, report } of this.#tasks.reports()) this.#write(plainLine(label, report))
  }
}
