import type { LogConfig, LogLevel } from './config/config.ts'
import { logLevels } from './config/config.ts'

/** What a line tells beside its sentence. Durations in milliseconds, sizes in bytes. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>

/** So many of the last lines are remembered. */
const mostRemembered = 200

/** The agent's log: one line for each thing that an operator may want to know. */
export class AgentLog {
  readonly #write: (line: string) => void
  readonly #now: () => number
  readonly #last: { readonly at: number; readonly line: string }[] = []
  #config: LogConfig

  /** @param write gets a line without its end */
  constructor(config: LogConfig, write: (line: string) => void, now: () => number) {
    this.#config = config
    this.#write = write
    this.#now = now
  }

  configure(config: LogConfig): void {
    this.#config = config
  }

  error(message: string, fields?: LogFields): void {
    this.#line('error', message, fields)
  }

  warn(message: string, fields?: LogFields): void {
    this.#line('warn', message, fields)
  }

  info(message: string, fields?: LogFields): void {
    this.#line('info', message, fields)
  }

  debug(message: string, fields?: LogFields): void {
    this.#line('debug', message, fields)
  }

  /** The last lines that were written since then, in milliseconds since 1970; at most 200. */
  since(time: number): string {
    return this.#last
      .filter(({ at }) => at >= time)
      .map(({ line }) => line)
      .join('\n')
  }

  #put(at: number, line: string): void {
    this.#last.push({ at, line })
    if (this.#last.length > mostRemembered) this.#last.shift()
    this.#write(line)
  }

  #line(level: LogLevel, message: string, fields: LogFields = {}): void {
    if (logLevels.indexOf(level) > logLevels.indexOf(this.#config.level)) return
    const at = this.#now()
    const time = new Date(at).toISOString()
    const given = Object.entries(fields).filter(([, value]) => value !== undefined)
    if (this.#config.format === 'json') {
      this.#put(at, JSON.stringify({ time, level, message, ...Object.fromEntries(given) }))
      return
    }
    // A message is one line, whatever a file is called.
    const text = message.replace(/[\r\n]+/g, ' ')
    const rest = given.map(([name, value]) => ` ${name}=${JSON.stringify(value)}`).join('')
    this.#put(at, `${time} ${level.padEnd(5)} ${text}${rest}`)
  }
}
