import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { LoadOptions } from './load-options.ts'

/** A load writer, running. Leaving its scope kills it. */
export class WriterProcess implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #exited: Promise<unknown>

  private constructor(child: ChildProcess) {
    this.#child = child
    this.#exited = once(child, 'exit')
  }

  /** Resolves when it is about to write. */
  static async start(options: LoadOptions): Promise<WriterProcess> {
    const child = fork(new URL('./load-writer.ts', import.meta.url), [JSON.stringify(options)])
    const writer = new WriterProcess(child)
    await writer.#message()
    return writer
  }

  pause(): void {
    this.#child.kill('SIGSTOP')
  }

  resume(): void {
    this.#child.kill('SIGCONT')
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** Ends it after its transaction; returns the number of the last commit. */
  async stop(): Promise<number> {
    const answered = this.#message()
    this.#child.send('stop')
    const { seq } = await answered
    await this.#exited
    return Number(seq)
  }

  /** Ends it in the midst of whatever it is doing. */
  async kill(): Promise<void> {
    if (this.isRunning) this.#child.kill('SIGKILL')
    await this.#exited
  }

  async #message(): Promise<{ readonly seq?: number }> {
    const ended = this.#exited.then(() => Promise.reject(new Error('The load writer ended before it answered.')))
    ended.catch(() => {})
    const [message] = await Promise.race([once(this.#child, 'message'), ended])
    return message
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
  }
}
