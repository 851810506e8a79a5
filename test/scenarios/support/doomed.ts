import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CreateBackupOptions } from '../../../src/backup/backup-options.ts'
import type { RestoreOptions } from '../../../src/restore/restore-options.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

export type DoomedTask =
  | {
      readonly kind: 'backup'
      readonly repository: string
      readonly path: string
      readonly backups: readonly CreateBackupOptions[]
    }
  | { readonly kind: 'restore'; readonly repository: string; readonly options: RestoreOptions }

export type DoomedEvent =
  | { readonly ready: true }
  /** The id of a backup, or the path of a restored file, that was acknowledged. */
  | { readonly done: string }
  | { readonly failed: string }

export interface DoomedOutcome {
  readonly done: readonly string[]
  readonly failed: string | undefined
  readonly killed: boolean
}

/**
 * Processes that are killed at a random moment of their work. The next one starts up while the present one works, out of a
 * cache of compiled code that the first one, which nobody kills, has filled: so there are several a second.
 */
export class DoomedProcesses implements AsyncDisposable {
  readonly #cache = temporaryFolder()
  #next: Promise<Doomed> | undefined

  /** Gives the task to a process, and kills it after so many milliseconds if it has not ended by then. */
  async run(task: DoomedTask, killAfterMs: number): Promise<DoomedOutcome> {
    const first = this.#next === undefined
    const doomed = await (this.#next ?? start(this.#cache.path))
    const outcome = first ? await doomed.run(task, undefined) : undefined
    this.#next = start(this.#cache.path)
    return outcome ?? (await doomed.run(task, killAfterMs))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.#next)?.kill()
    this.#cache[Symbol.dispose]()
  }
}

async function start(cache: string): Promise<Doomed> {
  const env = { ...process.env, NODE_COMPILE_CACHE: cache }
  const child = fork(new URL('./doomed-child.ts', import.meta.url), { env })
  const doomed = new Doomed(child)
  await once(child, 'message')
  return doomed
}

class Doomed {
  readonly #child: ChildProcess
  readonly #exited: Promise<unknown[]>

  constructor(child: ChildProcess) {
    this.#child = child
    this.#exited = once(child, 'exit')
  }

  async run(task: DoomedTask, killAfterMs: number | undefined): Promise<DoomedOutcome> {
    const done: string[] = []
    let failed: string | undefined
    this.#child.on('message', (event: DoomedEvent) => {
      if ('done' in event) done.push(event.done)
      if ('failed' in event) failed = event.failed
    })
    this.#child.send(task)
    const timer = new AbortController()
    const waits = killAfterMs === undefined ? [] : [sleep(killAfterMs, undefined, timer).catch(() => undefined)]
    await Promise.race([this.#exited, ...waits])
    timer.abort()
    await this.kill()
    const [, signal] = await this.#exited
    return { done, failed, killed: signal === 'SIGKILL' }
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#exited
  }
}
