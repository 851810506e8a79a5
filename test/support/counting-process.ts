import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'

/** A process that commits as often as it can: each commit counts `user_version` up. Leaving its scope kills it. */
export class CountingProcess implements AsyncDisposable {
  readonly #child: ChildProcess

  private constructor(child: ChildProcess) {
    this.#child = child
  }

  static async start(path: string): Promise<CountingProcess> {
    const child = fork(new URL('./counting-child.ts', import.meta.url), [path])
    await once(child, 'message')
    return new CountingProcess(child)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exited = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exited
  }
}
