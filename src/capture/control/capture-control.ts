import { deleteBackup } from '../../backup/delete-backup.ts'
import { ControlServer } from '../../control/server.ts'
import { newSocketPath } from '../../control/socket-path.ts'
import { throttleProgress } from '../../engine/progress-event.ts'
import { HoldfastError, toHoldfastError } from '../../errors.ts'
import { compactDatabase } from '../../maintenance/compact/compact-database.ts'
import { expireDatabase } from '../../maintenance/expire/expire-database.ts'
import type { DatabaseRepository } from '../../repository/database-repository.ts'
import type { Lease } from '../../repository/lease.ts'
import { isSameFile } from '../../util/is-same-file.ts'
import type { Capture } from '../capture.ts'
import { captureControlApi, type WhichDatabase } from './control-api.ts'

/** Takes requests of other processes about the databases that this one follows. */
export class CaptureControl implements AsyncDisposable {
  readonly #captures = new Map<string, Capture>()
  #server: ControlServer | undefined

  /** @throws the system's error if the socket cannot be made */
  static async listen(): Promise<CaptureControl> {
    const control = new CaptureControl()
    control.#server = await ControlServer.listen(await newSocketPath(), captureControlApi, {
      backUp: async ({ which, request }, { signal, emit }) =>
        await (await control.#find(which)).backUp({ ...request, signal, onProgress: throttleProgress(emit) }),
      expire: async ({ which, policy, graceMs }, { signal: given, emit }) => {
        const onProgress = throttleProgress(emit)
        const capture = await control.#find(which)
        const work = (database: DatabaseRepository, lease: Lease, signal: AbortSignal) =>
          expireDatabase(database, policy, { lease, graceMs, signal, onProgress })
        return await capture.exclusively(work, { signal: given })
      },
      compact: async ({ which, graceMs }, { signal: given, emit }) => {
        const onProgress = throttleProgress(emit)
        const capture = await control.#find(which)
        const work = (database: DatabaseRepository, lease: Lease, signal: AbortSignal) =>
          compactDatabase(database, { lease, graceMs, signal, onProgress })
        return await capture.exclusively(work, { signal: given })
      },
      deleteBackup: async ({ which, backup, force }, { signal: given }) => {
        const capture = await control.#find(which)
        const work = (database: DatabaseRepository, lease: Lease, signal: AbortSignal) =>
          deleteBackup(database, backup, { lease, force, signal })
        return await capture.exclusively(work, { signal: given })
      },
      follows: async ({ which }) => control.#captures.has(keyOf(which)),
    })
    return control
  }

  /** To be noted in the leases of this process. */
  get path(): string {
    return this.#server?.path ?? ''
  }

  /** For as long as it runs. */
  add(which: Omit<WhichDatabase, 'location'>, capture: Capture): void {
    const key = keyOf(which)
    this.#captures.set(key, capture)
    const forget = (): void => {
      if (this.#captures.get(key) === capture) this.#captures.delete(key)
    }
    capture.done.then(forget, forget)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server?.[Symbol.asyncDispose]()
  }

  async #find(which: WhichDatabase): Promise<Capture> {
    const capture = this.#captures.get(keyOf(which))
    if (capture !== undefined) {
      if (which.location === undefined || (await isSameFile(capture.location, which.location))) return capture
      throw new HoldfastError(
        'NAME_TAKEN',
        `Under the name ${which.database}, ${capture.location} is being followed.`,
        {
          object: which.location,
          hint: 'Give this database another name in the repository.',
        },
      )
    }
    throw new HoldfastError('NOT_RUNNING', `${which.database} is not followed by process ${process.pid}, or not yet.`, {
      object: which.database,
      hint: 'If it is just starting, try again in a while.',
    })
  }
}

/** Following works without it: then only nobody can ask anything, and the reason is told. */
export async function listenForRequests(warn: (message: string) => void): Promise<CaptureControl | undefined> {
  try {
    return await CaptureControl.listen()
  } catch (thrown) {
    const { message } = toHoldfastError(thrown)
    warn(`Other commands cannot reach this process, so databases that it follows can only be read: ${message}`)
    return undefined
  }
}

function keyOf({ repositoryId, database }: Omit<WhichDatabase, 'location'>): string {
  return `${repositoryId}/${database}`
}
