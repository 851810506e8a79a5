import { styleText } from 'node:util'
import { printable } from './format/text.ts'
import type { ErrorLine, WarningLine } from './json/schemas.ts'
import { noProgress, type ProgressReporter } from './progress/reporter.ts'

type Style = Parameters<typeof styleText>[0]

/** Where a command's words go: results to stdout, all else to stderr; with `--json` everything is a line on stdout. */
export class Output {
  readonly json: boolean
  readonly quiet: boolean
  readonly verbose: boolean
  /** Whether anything was worth a warning. */
  warned = false
  progress: ProgressReporter = noProgress
  readonly #stdout: NodeJS.WriteStream
  readonly #stderr: NodeJS.WriteStream

  constructor(
    streams: { readonly stdout: NodeJS.WriteStream; readonly stderr: NodeJS.WriteStream },
    modes: { readonly json: boolean; readonly quiet: boolean; readonly verbose: boolean },
  ) {
    this.#stdout = streams.stdout
    this.#stderr = streams.stderr
    this.json = modes.json
    this.quiet = modes.quiet
    this.verbose = modes.verbose
  }

  /** A result, for people. */
  print(text: string): void {
    if (text === '') return
    this.progress.clear()
    this.#stdout.write(`${printable(text)}\n`)
  }

  /** A line of JSON. */
  printJson(line: object): void {
    this.#stdout.write(`${JSON.stringify(line)}\n`)
  }

  /** What happens meanwhile; not with `--quiet` or `--json`. */
  note(text: string): void {
    if (!this.quiet && !this.json) this.#tell(printable(text))
  }

  /** Only with `--verbose`. */
  detail(text: string): void {
    if (this.verbose && !this.json) this.#tell(printable(text))
  }

  warn(message: string, object?: string): void {
    this.warned = true
    const line: WarningLine = { type: 'warning', message, object: object ?? null }
    if (this.json) this.printJson(line)
    else this.#tell(`${this.style('yellow', 'warning:')} ${printable(about(message, object))}`)
  }

  error(line: ErrorLine, details: string): void {
    if (this.json) {
      this.printJson(line)
      return
    }
    const parts = [line.message]
    if (line.object !== null && !line.message.includes(line.object)) parts.push(`object: ${line.object}`)
    if (line.hint !== null) parts.push(`hint: ${line.hint}`)
    if (this.verbose && details !== '') parts.push(details)
    this.#tell(`${this.style('red', 'error:')} ${parts.map(printable).join('\n')}`)
  }

  /** For stderr; nothing is coloured where that is not wanted (NO_COLOR, no terminal). */
  style(style: Style, text: string): string {
    return styleText(style, text, { stream: this.#stderr })
  }

  #tell(text: string): void {
    this.progress.clear()
    this.#stderr.write(`${text}\n`)
  }
}

function about(message: string, object: string | undefined): string {
  return object === undefined || message.includes(object) ? message : `${object}: ${message}`
}
