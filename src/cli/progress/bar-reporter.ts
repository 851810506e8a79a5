import { styleText } from 'node:util'
import { barLine } from './line.ts'
import type { ProgressReporter, Task } from './reporter.ts'
import { Tasks } from './tasks.ts'

const drawEveryMs = 100
/** Shorter work needs no bar. */
const quietMs = 1000

/** Part of `tty.WriteStream`. */
export interface Terminal {
  readonly columns: number
  write(text: string): unknown
}

/** One line on a terminal, drawn over and over, and wiped at the end. */
export class BarReporter implements ProgressReporter {
  readonly #terminal: Terminal
  readonly #now: () => number
  readonly #tasks: Tasks
  #drawnAt = Number.NEGATIVE_INFINITY
  #drawn = false

  constructor(terminal: Terminal, now: () => number) {
    this.#terminal = terminal
    this.#now = now
    this.#tasks = new Tasks(now)
  }

  task(label: string): Task {
    return this.#tasks.add(label, { changed: () => this.#draw(), ended: () => this.clear() })
  }

  clear(): void {
    if (!this.#drawn) return
    this.#terminal.write('\r\u001b[K')
    this.#drawn = false
    this.#drawnAt = Number.NEGATIVE_INFINITY
  }

  #draw(): void {
    const now = this.#now()
    if (now - this.#drawnAt < drawEveryMs) return
    const running = this.#tasks.reports(quietMs)
    // The one that will end last says most.
    const [slowest] = running.toSorted((a, b) => (b.report.remainingMs ?? 0) - (a.report.remainingMs ?? 0))
    if (slowest === undefined) return
    const others = running.length === 1 ? '' : `[${running.length} running, ${this.#tasks.ended} done] `
    // The last column stays free: some terminals wrap when it is written.
    const line = barLine(others + slowest.label, slowest.report, this.#terminal.columns - 1)
    this.#terminal.write(`\r${styleText('cyan', line, { validateStream: false })}\u001b[K`)
    this.#drawnAt = now
    this.#drawn = true
  }
}
