/** The built `holdfast run`, looking after many small databases. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { holdfast, holdfastProgram } from '../tools.ts'
import { run } from '../workspace.ts'
import { makeSmallDatabase } from './small-database.ts'

const followedPattern = /"Following ([^:"]+): /
const uploadMs = 60_000

/** A folder with databases, a repository, and a configuration that names the databases by a pattern. */
export class AgentPlace {
  readonly #folder: string
  readonly count: number

  constructor(folder: string, count: number) {
    this.#folder = folder
    this.count = count
    mkdirSync(join(folder, 'data'), { recursive: true })
    for (let number = 0; number < count; number++) makeSmallDatabase(this.database(number))
    run(holdfast(this.repository, 'init'))
    const config = {
      repository: this.repository,
      stateFolder: join(folder, 'state'),
      databases: [{ glob: join(folder, 'data', '*.db') }],
      log: { level: 'info', format: 'json' },
    }
    // JSON is YAML.
    writeFileSync(join(folder, 'holdfast.yaml'), JSON.stringify(config))
  }

  get repository(): string {
    return join(this.#folder, 'repository')
  }

  database(number: number): string {
    return join(this.#folder, 'data', `${number}.db`)
  }

  /** Resolves once every database is followed. */
  async start(): Promise<AgentProgram> {
    const begun = performance.now()
    const child = spawn(process.execPath, [holdfastProgram, 'run', '--config', join(this.#folder, 'holdfast.yaml')], {
      env: { ...process.env, XDG_STATE_HOME: join(this.#folder, 'xdg') },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    const lastWords: string[] = []
    const followed = new Set<string>()
    const all = Promise.withResolvers<void>()
    createInterface(child.stderr).on('line', (line) => {
      lastWords.splice(0, lastWords.length - 20)
      lastWords.push(line)
      const name = followedPattern.exec(line)?.[1]
      if (name !== undefined) followed.add(name)
      if (followed.size === this.count) all.resolve()
    })
    child.once('exit', (code) => all.reject(new Error(`The agent ended with ${code}:\n${lastWords.join('\n')}`)))
    await all.promise
    return new AgentProgram(child, (performance.now() - begun) / 1000)
  }

  /** Commits once, as the application would; milliseconds until a log of that database comes to the repository. */
  async commitUntilDurable(number: number): Promise<number> {
    const segments = join(this.repository, 'databases', String(number), 'segments')
    const before = readdirSync(segments).length
    const database = new DatabaseSync(this.database(number))
    try {
      const begun = performance.now()
      database.exec('INSERT INTO t (x) VALUES (randomblob(100))')
      while (readdirSync(segments).filter((name) => name.endsWith('.hfs')).length <= before) {
        if (performance.now() - begun > uploadMs) throw new Error(`A commit was not uploaded within ${uploadMs} ms.`)
        await sleep(1)
      }
      return performance.now() - begun
    } finally {
      database.close()
    }
  }
}

export class AgentProgram {
  readonly #child: ChildProcess
  readonly startSeconds: number

  constructor(child: ChildProcess, startSeconds: number) {
    this.#child = child
    this.startSeconds = startSeconds
  }

  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** In order. How long it took, in seconds. */
  async stop(): Promise<number> {
    const begun = performance.now()
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGTERM')
    await ended
    return (performance.now() - begun) / 1000
  }
}
