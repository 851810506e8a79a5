import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { CaptureEvent } from '../../../src/capture/capture-events.ts'
import type { FollowAnswer, FollowRequest, FollowTask } from './follow-program.ts'

/** A follower in a process of its own, which waits until {@link follow} tells it what to follow. Leaving its scope kills it. */
export class FollowProcess implements AsyncDisposable {
  readonly #child: ChildProcess
  readonly #exited: Promise<unknown[]>
  readonly #booted = Promise.withResolvers<void>()
  readonly #started = Promise.withResolvers<void>()
  readonly #waiting = new Map<number, { resolve: (lsn: number) => void; reject: (error: Error) => void }>()
  #syncs = 0
  /** All that it has told so far. */
  readonly events: CaptureEvent[] = []
  /** What it failed with by itself. */
  failure: { readonly code: string; readonly message: string } | undefined

  /** @param cache folder of compiled code, so that it starts quickly */
  constructor(cache: string) {
    const env = { ...process.env, NODE_COMPILE_CACHE: cache }
    this.#child = fork(new URL('./follow-program.ts', import.meta.url), { env })
    this.#exited = once(this.#child, 'exit')
    this.#child.on('message', (answer: FollowAnswer) => this.#take(answer))
    for (const { promise } of [this.#booted, this.#started]) promise.catch(() => {})
    this.#child.once('exit', () => this.#end())
  }

  /** Resolves when it can be told what to follow. @throws Error if it ends before */
  get booted(): Promise<void> {
    return this.#booted.promise
  }

  follow(task: FollowTask): void {
    this.#ask({ task })
  }

  /** Resolves when it follows. @throws Error if it ends before */
  get started(): Promise<void> {
    return this.#started.promise
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** The most memory that it has had so far, in MiB; undefined where the system does not tell. */
  get peakMebibytes(): number | undefined {
    if (process.platform !== 'linux') return undefined
    const peak = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${this.#child.pid}/status`, 'utf8'))?.[1]
    return peak === undefined ? undefined : Number(peak) / 1024
  }

  /** The number of the state that it says is durable. @throws Error if it ends before it answers */
  sync(): Promise<number> {
    this.#syncs += 1
    const { promise, resolve, reject } = Promise.withResolvers<number>()
    promise.catch(() => {})
    if (!this.#child.connected) reject(new Error('The follower has ended.'))
    else {
      this.#waiting.set(this.#syncs, { resolve, reject })
      this.#ask({ sync: this.#syncs })
    }
    return promise
  }

  /** Ends it in order. */
  async stop(): Promise<void> {
    this.#ask('stop')
    await this.#exited
  }

  async kill(): Promise<void> {
    if (this.isRunning) this.#child.kill('SIGKILL')
    await this.#exited
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
  }

  // It may die while it is being asked: its exit tells.
  #ask(request: FollowRequest): void {
    this.#child.send(request, () => {})
  }

  #take(answer: FollowAnswer): void {
    if ('event' in answer) this.events.push(answer.event)
    else if ('booted' in answer) this.#booted.resolve()
    else if ('ready' in answer) this.#started.resolve()
    else if ('failed' in answer) this.failure ??= { code: answer.code, message: answer.failed }
    else this.#waiting.get(answer.synced)?.resolve(answer.lsn)
  }

  #end(): void {
    const error = new Error(`The follower has ended. ${this.failure?.message ?? ''}`)
    for (const { reject } of [this.#booted, this.#started]) reject(error)
    for (const { reject } of this.#waiting.values()) reject(error)
  }
}
