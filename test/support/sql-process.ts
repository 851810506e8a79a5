import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'

export type SqlResult = { readonly rows: readonly Record<string, unknown>[] } | { readonly error: string }

/** Another process with one connection to a database, which runs what it is told. Leaving its scope kills it. */
export class SqlProcess implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #exited: Promise<unknown>

  private constructor(child: ChildProcess) {
    this.#child = child
    this.#exited = once(child, 'exit')
  }

  static async open(path: string): Promise<SqlProcess> {
    const child = fork(new URL('./sql-child.ts', import.meta.url), [path])
    await once(child, 'message')
    return new SqlProcess(child)
  }

  /** Runs statements; the rows are those of the last one. */
  async run(...statements: readonly string[]): Promise<SqlResult> {
    const answered = once(this.#child, 'message')
    this.#child.send(statements)
    const [result] = await answered
    return result
  }

  /** As {@link run}, but an error is thrown. */
  async query(...statements: readonly string[]): Promise<readonly Record<string, unknown>[]> {
    const result = await this.run(...statements)
    if ('error' in result) throw new Error(result.error)
    return result.rows
  }

  /** Closes the connection in order. */
  async close(): Promise<void> {
    this.#child.disconnect()
    await this.#exited
  }

  /** Ends it without closing anything. */
  async kill(): Promise<void> {
    if (this.#child.exitCode === null) this.#child.kill('SIGKILL')
    await this.#exited
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
  }
}
