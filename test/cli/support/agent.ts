import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { json } from 'node:stream/consumers'
import type { TestContext } from 'node:test'
import { stringify } from 'yaml'
import { z } from 'zod'
import { bin } from './cli.ts'

const logLine = z.looseObject({ level: z.string(), message: z.string() })
type LogLine = z.infer<typeof logLine>

/** Writes `holdfast.yaml`, with a log that tests can read. */
export function writeConfig(cwd: string, config: object): void {
  const whole = { repository: './backups', stateFolder: './state', log: { level: 'debug', format: 'json' }, ...config }
  writeFileSync(join(cwd, 'holdfast.yaml'), stringify(whole))
}

/** What runs at the end, of a test or of anything else that cleans up after itself. */
export interface Cleanup {
  after(work: () => Promise<unknown>): void
}

/** `holdfast run`, running. */
export class AgentProgram {
  readonly lines: LogLine[] = []
  /** What it says beside its log: its last words. */
  output = ''
  readonly #child
  readonly #exited: Promise<number | null>
  #waiting: (() => void)[] = []
  #isOver = false

  /** @param user whose process it is; default: that of the test */
  constructor(context: Cleanup, cwd: string, env: NodeJS.ProcessEnv = {}, user?: number) {
    this.#child = spawn(process.execPath, [bin, 'run'], {
      cwd,
      env: { ...process.env, XDG_STATE_HOME: join(cwd, 'xdg'), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(user === undefined ? {} : { uid: user, gid: user }),
    })
    this.#exited = once(this.#child, 'close').then(([code]) => code)
    void this.#read(createInterface(this.#child.stderr))
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => {
      this.output += text
    })
    context.after(() => this.kill())
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** The first line from `after` on that fits; waits for it. */
  async line(fits: RegExp | ((line: LogLine) => boolean), after = 0): Promise<LogLine> {
    const isWanted = typeof fits === 'function' ? fits : ({ message }: LogLine) => fits.test(message)
    for (;;) {
      const found = this.lines.slice(after).find(isWanted)
      if (found !== undefined) return found
      if (this.#isOver) throw new Error(`It ended without ${fits}: ${this.#told()}`)
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** In order; its exit status. */
  async stop(): Promise<number | null> {
    this.#child.kill('SIGTERM')
    return await this.#exited
  }

  /** It ends by itself. */
  async ended(): Promise<number | null> {
    return await this.#exited
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#exited
  }

  async #read(lines: AsyncIterable<string>): Promise<void> {
    for await (const text of lines) {
      if (text.startsWith('{')) this.lines.push(logLine.parse(JSON.parse(text)))
      else this.lines.push({ level: 'none', message: text })
      this.#wake()
    }
    this.#isOver = true
    this.#wake()
  }

  #told(): string {
    return this.lines.map(({ level, message }) => `${level} ${message}`).join('\n')
  }

  #wake(): void {
    for (const resume of this.#waiting.splice(0)) resume()
  }
}

const received = z.looseObject({
  alerts: z.array(z.looseObject({ state: z.string(), kind: z.string(), summary: z.string() })),
})
type Told = z.infer<typeof received>['alerts'][number]

/** A web server that takes alerts, as a team's chat does. */
export class AlertReceiver {
  readonly alerts: Told[] = []
  readonly #server: Server
  #waiting: (() => void)[] = []

  private constructor(server: Server) {
    this.#server = server
    server.on('request', async (request, response) => {
      this.alerts.push(...received.parse(await json(request)).alerts)
      response.end()
      for (const resume of this.#waiting.splice(0)) resume()
    })
  }

  static async listen(context: TestContext): Promise<AlertReceiver> {
    const server = createServer()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    context.after(() => {
      server.closeAllConnections()
      server.close()
    })
    return new AlertReceiver(server)
  }

  get url(): string {
    const address = this.#server.address()
    return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/hook`
  }

  async alert(fits: (alert: Told) => boolean): Promise<Told> {
    for (;;) {
      const found = this.alerts.find(fits)
      if (found !== undefined) return found
      await new Promise<void>((resolve) => this.#waiting.push(resolve))
    }
  }
}
