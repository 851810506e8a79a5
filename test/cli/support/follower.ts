import { createInterface } from 'node:readline'
import type { TestContext } from 'node:test'
import { z } from 'zod'
import {
  type ErrorLine,
  errorLine,
  type FollowLine,
  followLine,
  type Results,
  resultData,
  warningLine,
} from '../../../src/cli/json/schemas.ts'
import { startCli } from './cli.ts'

type Event = FollowLine['event']
type Line<Name extends Event> = Extract<FollowLine, { event: Name }>

/** `holdfast follow --json`, running; every line that it writes is checked against its schema. */
export class FollowerProgram {
  readonly lines: FollowLine[] = []
  readonly warnings: string[] = []
  readonly #child
  readonly #exited: Promise<number | null>
  readonly #read: Promise<void>
  #waiting: (() => void)[] = []
  #last:
    | { readonly type: 'result'; readonly data: Results['follow'] }
    | { readonly type: 'error'; readonly data: ErrorLine }
    | undefined
  #isOver = false

  constructor(context: TestContext, cwd: string, args: readonly string[]) {
    const { child, ended } = startCli(['follow', ...args, '--json'], { cwd })
    this.#child = child
    this.#exited = ended.then(({ code }) => code)
    if (child.stdout === null) throw new Error('The program has no output.')
    this.#read = this.#readLines(createInterface(child.stdout))
    context.after(() => this.kill())
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** The first line of that event that fits; waits for it. */
  async event<Name extends Event>(name: Name, fits: (line: Line<Name>) => boolean = () => true): Promise<Line<Name>> {
    const isWanted = (line: FollowLine): line is Line<Name> => line.event === name
    for (;;) {
      const found = this.lines.filter(isWanted).find(fits)
      if (found !== undefined) return found
      if (this.#isOver) throw new Error(`It ended without "${name}": ${JSON.stringify(this.#last?.data)}`)
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  /** Ctrl-C; what its last line says, and its exit status. */
  async interrupt(signal: NodeJS.Signals = 'SIGINT'): Promise<{ code: number | null; result: Results['follow'] }> {
    this.#child.kill(signal)
    const code = await this.#ended()
    if (this.#last?.type !== 'result') throw new Error(`No result, but ${JSON.stringify(this.#last?.data)}`)
    return { code, result: this.#last.data }
  }

  /** It ends by itself, with an error. */
  async failure(): Promise<ErrorLine> {
    await this.#ended()
    if (this.#last?.type !== 'error') throw new Error(`No error, but ${JSON.stringify(this.#last?.data)}`)
    return this.#last.data
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#ended()
  }

  async #ended(): Promise<number | null> {
    await this.#read
    return await this.#exited
  }

  async #readLines(lines: AsyncIterable<string>): Promise<void> {
    for await (const text of lines) {
      const line: unknown = JSON.parse(text)
      const { type } = z.looseObject({ type: z.string() }).parse(line)
      if (type === 'follow') this.lines.push(followLine.parse(line))
      else if (type === 'warning') this.warnings.push(warningLine.parse(line).message)
      else if (type === 'error') this.#last = { type: 'error', data: errorLine.parse(line) }
      else {
        const {
          type: _type,
          command: _command,
          exitCode: _code,
          ...data
        } = z.looseObject({ type: z.literal('result'), command: z.literal('follow'), exitCode: z.int() }).parse(line)
        this.#last = { type: 'result', data: resultData.follow.parse(data) }
      }
      this.#wake()
    }
    this.#isOver = true
    this.#wake()
  }

  #wake(): void {
    for (const resume of this.#waiting.splice(0)) resume()
  }
}
