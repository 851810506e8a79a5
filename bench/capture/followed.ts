/** A database that Holdfast follows into a local repository, as an application that uses the library would have it. */
import { readFileSync, statSync } from 'node:fs'
import {
  BackupManager,
  type FollowDatabaseOptions,
  initRepository,
  type LiveCapture,
  type LiveCaptureEvents,
  sqlite,
} from '../../src/index.ts'

type EventOf<Name extends keyof LiveCaptureEvents> = LiveCaptureEvents[Name][0]

export interface FollowedOptions extends FollowDatabaseOptions {
  readonly database: string
  readonly repository: string
  readonly stateFolder: string
}

/** Leaving its scope stops it. */
export class Followed implements AsyncDisposable {
  readonly live: LiveCapture
  readonly handOffs: EventOf<'handed-off'>[] = []
  /** With the time at which this process heard of it, in milliseconds since 1970. */
  readonly uploads: (EventOf<'uploaded'> & { readonly at: number })[] = []
  readonly #manager: BackupManager
  readonly #pid: number
  #failure: Error | undefined

  private constructor(manager: BackupManager, live: LiveCapture) {
    this.#manager = manager
    this.live = live
    this.#pid = live.pid ?? 0
    live.on('handed-off', (event) => this.handOffs.push(event))
    live.on('uploaded', (event) => this.uploads.push({ ...event, at: performance.timeOrigin + performance.now() }))
    live.on('gap', ({ reason }) => this.#fail(new Error(`Commits were missed: ${reason}.`)))
    live.on('error', (error) => this.#fail(error))
  }

  static async begin({ database, repository, ...options }: FollowedOptions): Promise<Followed> {
    // Where the one of an earlier measurement was: a new one in its place has to be asked for.
    await initRepository(repository)
    const manager = await BackupManager.open({ source: sqlite(database), repository })
    const followed = new Followed(manager, await manager.follow(options))
    await followed.live.sync()
    return followed
  }

  /** Everything committed so far is in the repository. @throws if a commit was missed: then no figure is worth anything */
  async sync(): Promise<number> {
    const lsn = await this.live.sync()
    if (this.#failure !== undefined) throw this.#failure
    return lsn
  }

  /** Processor time of the process that follows, so far. NaN where the system does not tell. */
  get processorSeconds(): number {
    return processorSeconds(this.#pid)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.live.stop({ waitMs: 60_000 })
    await this.#manager[Symbol.asyncDispose]()
  }

  #fail(error: Error): void {
    this.#failure ??= error
  }
}

/** Linux: fields 14 and 15 of the process's `stat`, in hundredths of a second. */
export function processorSeconds(pid: number): number {
  if (process.platform !== 'linux') return Number.NaN
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / 100
}

/** Bytes of the database's write-ahead log. */
export function logFileBytes(database: string): number {
  return statSync(`${database}-wal`, { throwIfNoEntry: false })?.size ?? 0
}
