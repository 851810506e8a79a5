import { styleText } from 'node:util'
import { RateMeter } from '../../util/rate-meter.ts'
import { printable } from '../format/text.ts'
import { noProgress, type ProgressReporter } from '../progress/reporter.ts'
import type { Followed } from './followed.ts'
import { statusLine } from './status-line.ts'

const drawEveryMs = 500
const lineEveryMs = 10_000

export interface StatusOutput {
  /** Undefined where there is none: then a line is written now and then, if something has changed. */
  readonly terminal: { readonly columns: number; write(text: string): unknown } | undefined
  readonly write: (line: string) => void
  readonly now: () => number
}

/** Tells how following goes: on a terminal in one line that is drawn over and over, elsewhere line by line. */
export class StatusReporter implements ProgressReporter, Disposable {
  readonly task = noProgress.task
  readonly #databases: readonly Followed[]
  readonly #output: StatusOutput
  readonly #meter: RateMeter
  readonly #timer: NodeJS.Timeout
  #drawn = false
  #told = ''

  constructor(databases: readonly Followed[], output: StatusOutput) {
    this.#databases = databases
    this.#output = output
    this.#meter = new RateMeter(output.now)
    this.#measure()
    const { terminal } = output
    this.#timer = setInterval(() => this.tell(), terminal === undefined ? lineEveryMs : drawEveryMs)
  }

  tell(): void {
    const { terminal, write, now } = this.#output
    const line = printable(statusLine(this.#databases, { now: now(), rate: this.#measure() }))
    if (terminal !== undefined) {
      // The last column stays free: some terminals wrap when it is written.
      const shown = line.slice(0, Math.max(0, terminal.columns - 1))
      terminal.write(`\r${styleText('cyan', shown, { validateStream: false })}\u001b[K`)
      this.#drawn = true
    } else {
      const facts = this.#databases.map(({ lsn, uploadedLsn, trouble }) => `${lsn} ${uploadedLsn} ${trouble}`).join()
      if (facts !== this.#told) write(line)
      this.#told = facts
    }
  }

  clear(): void {
    if (!this.#drawn) return
    this.#output.terminal?.write('\r\u001b[K')
    this.#drawn = false
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
    this.clear()
  }

  #measure(): number {
    const done = this.#databases.reduce((sum, { commits }) => sum + commits, 0)
    return this.#meter.measure({ phase: 'follow', done, total: undefined, unit: 'objects' }).ratePerSecond ?? 0
  }
}
