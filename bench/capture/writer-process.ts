import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { WorkloadName } from './workloads.ts'

export interface WriterOptions {
  readonly databases: readonly string[]
  readonly workload: WorkloadName
  readonly seed: number
  readonly synchronous: 'normal' | 'full'
  /** Frames after which the application checkpoints by itself, as SQLite's default of 1000; 0: never. */
  readonly autoCheckpoint: number
}

/** Ends at whichever comes first. */
export interface Writing {
  /** Which of the databases. */
  readonly database: number
  readonly forMs: number
  readonly commits: number
  /** From one commit to the next; 0: at full speed. */
  readonly everyMs: number
}

export interface Written {
  readonly seconds: number
  readonly processorSeconds: number
  /** For each commit, when it was done, in milliseconds since 1970, and how long the transaction took. */
  readonly committedAt: readonly number[]
  readonly tookMs: readonly number[]
}

/** An application, in a process of its own. Leaving its scope ends it. */
export class WriterProcess implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #exited: Promise<unknown>
  #answer = Promise.withResolvers<Written>()

  private constructor(child: ChildProcess) {
    this.#child = child
    this.#exited = once(child, 'exit')
    child.on('message', (message: Written) => this.#answer.resolve(message))
    child.on('exit', () => this.#answer.reject(new Error('The writer has ended.')))
  }

  static async start(options: Partial<WriterOptions> & Pick<WriterOptions, 'databases' | 'workload'>) {
    const complete: WriterOptions = { seed: 1, synchronous: 'normal', autoCheckpoint: 1000, ...options }
    const writer = new WriterProcess(fork(new URL('./writer.ts', import.meta.url), [JSON.stringify(complete)]))
    await writer.#answer.promise
    return writer
  }

  async write({ database = 0, forMs = 600_000, commits = 1e9, everyMs = 0 }: Partial<Writing>): Promise<Written> {
    this.#answer = Promise.withResolvers()
    this.#child.send({ database, forMs, commits, everyMs } satisfies Writing)
    return await this.#answer.promise
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#answer.promise.catch(() => {})
    if (this.#child.connected) this.#child.disconnect()
    await this.#exited
  }
}
