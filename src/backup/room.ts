import { HoldfastError, hasCode } from '../errors.ts'
import { isNewer, textAt } from '../repository/instructions.ts'
import { formatKey } from '../repository/layout.ts'
import { Lease, type LeaseOptions, type LeasePlace } from '../repository/lease.ts'

/**
 * On a full disk there is no room for the few bytes of a lease, and without a lease nothing may be deleted that would make
 * room. So the copy of the format document steps aside meanwhile: it is known, and can be written again.
 */
export class Room implements AsyncDisposable {
  readonly #place: LeasePlace
  #aside: Uint8Array | undefined

  constructor(place: LeasePlace) {
    this.#place = place
  }

  /** @throws LEASE_HELD, DISK_FULL, STORAGE_*, ABORTED */
  async acquireLease(options: LeaseOptions): Promise<Lease> {
    try {
      return await Lease.acquire(this.#place, options)
    } catch (error) {
      if (!hasCode(error, 'DISK_FULL')) throw error
      if (!(await this.make())) throw noRoom(error)
    }
    try {
      return await Lease.acquire(this.#place, options)
    } catch (error) {
      await this[Symbol.asyncDispose]()
      throw hasCode(error, 'DISK_FULL') ? noRoom(error) : error
    }
  }

  /** @returns whether there was something that could step aside */
  async make(): Promise<boolean> {
    const { storage } = this.#place
    const there = await textAt(storage, formatKey)
    if (there === undefined) return false
    if (this.#aside === undefined || !isNewer(this.#aside, there)) this.#aside = there
    await storage.delete(formatKey)
    return true
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const document = this.#aside
    this.#aside = undefined
    if (document === undefined) return
    const { storage } = this.#place
    try {
      const there = await textAt(storage, formatKey)
      if (there === undefined || isNewer(document, there)) await storage.put(formatKey, document)
    } catch (error) {
      // Somebody else took the room. The document is in every copy of Holdfast too.
      if (!hasCode(error, 'DISK_FULL')) throw error
    }
  }
}

function noRoom(cause: HoldfastError): HoldfastError {
  return new HoldfastError('DISK_FULL', cause.message, {
    object: cause.object,
    cause,
    hint: 'Deleting needs a few KiB itself. Free some elsewhere on this disk, then run it again.',
  })
}
