/**
 * One writer a database. A lease is taken by create-if-absent, renewed, released and taken over by compare-and-swap. One left
 * by a killed process of this machine is recognised at once; one of another machine when it has expired.
 */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { HoldfastError, hasCode } from '../errors.ts'
import type { BackupStorage, OperationOptions, PutOptions, StorageCapabilities } from '../storage/storage.ts'
import { currentProcess, processState } from '../util/process-identity.ts'
import type { DatabaseRepository } from './database-repository.ts'
import { readDocument, writeDocument } from './documents.ts'
import { leaseKey } from './layout.ts'
import { type LeaseDocument, leaseDocument } from './lease-document.ts'
import { leaseHeld } from './lease-held.ts'
import { refuseMirror } from './mirror-record.ts'

/** What only one may write at a time: a database of a repository, or, with a key of its own, something else in the storage. */
export interface LeasePlace {
  readonly storage: BackupStorage
  /** For messages. */
  readonly name: string
  readonly repository: { readonly capabilities: StorageCapabilities }
  /** Where the lease lies; default: the place of a database's. */
  readonly leaseKey?: string | undefined
}

export interface LeaseOptions extends OperationOptions {
  /** For messages: `backup`, `delete`. */
  readonly purpose: string
  /** How long to wait for another holder, in milliseconds; default 0. */
  readonly waitMs?: number | undefined
  /** Lifetime without renewal, in milliseconds; default 60,000. */
  readonly ttlMs?: number | undefined
  /** Path of a local socket on which the holder can be asked to do something under its lease. */
  readonly control?: string | undefined
  /**
   * Id of a folder that only one process may use at a time, and that this one has. A lease that was left by another with the same
   * folder is free: that process is gone, though in a container nothing else tells.
   */
  readonly home?: string | undefined
  /**
   * Asked with each write: by when everything that had been committed is in the repository, in milliseconds since 1970; undefined if not known.
   * That is written down, so that others can tell a database in which nothing happens from one of which nothing is kept.
   */
  readonly coveredAt?: (() => number | undefined) | undefined
}

/** Clocks of two machines may differ by this much before a live lease could be taken for an expired one. */
const clockMarginMs = 30_000
/** Without compare-and-swap: how long after our write nobody else's may still come to light. */
const settleMs = 2_000
const retryMs = 250
/** Failures of the storage that say nothing of who holds the lease. */
const passingCodes = ['STORAGE_TRANSIENT', 'STORAGE_THROTTLED', 'DISK_FULL'] as const

/** Nonces of leases that were written, or may have been, and given up without a release that the storage confirmed. */
const givenUp = new Set<string>()

export class Lease implements AsyncDisposable {
  readonly #database: LeasePlace
  readonly #ttlMs: number
  readonly #coveredAt: () => number | undefined
  readonly #lost = new AbortController()
  #document: LeaseDocument
  #etag: string
  #timer: NodeJS.Timeout | undefined
  /** Writes of the document, one after the other; a failed one does not hold up the next. */
  #writing: Promise<void> = Promise.resolve()
  #closed = false
  /** When it was last seen to be ours. */
  #confirmedAt = Date.now()

  private constructor(database: LeasePlace, document: LeaseDocument, etag: string, options: LeaseOptions) {
    this.#database = database
    this.#document = document
    this.#etag = etag
    this.#ttlMs = ttlOf(options)
    this.#coveredAt = options.coveredAt ?? (() => undefined)
    this.#schedule()
  }

  /** @throws LEASE_HELD, MIRROR for a database of a mirror, ABORTED, STORAGE_* */
  static async acquire(database: LeasePlace, options: LeaseOptions): Promise<Lease> {
    if (database.leaseKey === undefined) await refuseMirror(database.storage, options)
    const deadline = Date.now() + (options.waitMs ?? 0)
    for (;;) {
      const attempt = await tryAcquire(database, options)
      if ('held' in attempt) {
        if (Date.now() >= deadline) throw leaseHeld(database.name, attempt.held, keyOf(database))
        await sleep(Math.min(retryMs, Math.max(1, deadline - Date.now())), undefined, { signal: options.signal })
      } else if ('etag' in attempt) {
        return new Lease(database, attempt.document, attempt.etag, options)
      }
    }
  }

  get epoch(): number {
    return this.#document.epoch
  }

  /**
   * To be called before anything is written under the lease. Where the document of a former holder was lost, that holder may live, and what it
   * still writes must not be taken for ours: the epoch is then one above all of the history, and that is written down.
   *
   * @param highest of the epochs in the history, 0 without any
   * @throws LEASE_LOST, STORAGE_*
   */
  async raiseEpoch(highest: number): Promise<void> {
    const { epoch, epochUnknown } = this.#document
    if (epochUnknown !== true && epoch >= highest) return
    await this.#renew({ epoch: highest === 0 ? epoch : Math.max(epoch, highest + 1), epochUnknown: undefined })
  }

  /** The highest LSN that was ever given out, as far as holders noted it; see {@link claim}. */
  get lsn(): number {
    return this.#document.lsn
  }

  /**
   * Notes that this LSN is given out, so that it never is again: not while a listing lags, and not after the backup that had it
   * was deleted. @throws LEASE_LOST, STORAGE_*
   *
   * @param pending key of the segment that is about to be written; see {@link pending}
   */
  claim(lsn: number, pending: string): Promise<void> {
    return this.#renew({ lsn, pending })
  }

  /**
   * A segment that this or a former holder began, and never said to be complete: if no manifest names it, it is a leftover.
   * Written down beforehand, so that nothing is ever deleted only because something else is not there.
   */
  get pending(): string | undefined {
    return this.#document.pending ?? undefined
  }

  /** What is pending is complete; written down with the release. */
  complete(): void {
    this.#document = { ...this.#document, pending: null }
  }

  /** To be called right before a commit point: nobody has taken the lease over. @throws LEASE_LOST, STORAGE_* */
  confirm(): Promise<void> {
    return this.#renew({})
  }

  /** As {@link confirm}, unless that was known less than so many milliseconds ago. @throws LEASE_LOST, STORAGE_* */
  async confirmWithin(milliseconds: number): Promise<void> {
    const age = Date.now() - this.#confirmedAt
    if (age < 0 || age >= milliseconds) await this.confirm()
  }

  /** Aborts when the lease is lost. */
  get signal(): AbortSignal {
    return this.#lost.signal
  }

  /** By wall clock alone, since timers stop while a machine sleeps. @throws LEASE_LOST */
  assertHeld(): void {
    if (this.#lost.signal.aborted || Date.now() >= Date.parse(this.#document.expiresAt)) throw this.#lostError()
  }

  /** Gives it back, if it was not lost by now. @throws LEASE_LOST if somebody had taken it over, STORAGE_* that do not pass */
  async release(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    clearTimeout(this.#timer)
    if (this.#lost.signal.aborted) return
    try {
      await this.#write({ released: true })
    } catch (error) {
      givenUp.add(this.#document.nonce)
      // The storage is away or full: this process knows the lease for free, others wait until it expires.
      if (!hasCode(error, ...passingCodes, 'STORAGE_DENIED')) throw error
    }
  }

  /** As {@link release}, for who has confirmed it after all that was written. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.release()
    } catch (error) {
      if (!hasCode(error, 'LEASE_LOST')) throw error
    }
  }

  #schedule(): void {
    clearTimeout(this.#timer)
    if (this.#closed || this.#lost.signal.aborted) return
    this.#timer = setTimeout(() => {
      // Its failure is in the signal, or passes.
      this.#renew({}).catch(() => {})
    }, this.#ttlMs / 3)
    this.#timer.unref()
  }

  async #renew(changes: Partial<LeaseDocument>): Promise<void> {
    try {
      this.assertHeld()
      await this.#write({ ...changes, expiresAt: isoTime(Date.now() + this.#ttlMs) })
    } catch (error) {
      const passing = hasCode(error, ...passingCodes) && Date.now() < Date.parse(this.#document.expiresAt)
      if (!passing) this.#lost.abort(hasCode(error, 'LEASE_LOST') ? error : this.#lostError(error))
      throw error
    } finally {
      this.#schedule()
    }
  }

  #write(changes: Partial<LeaseDocument>): Promise<void> {
    const write = this.#writing.then(() => this.#replace({ ...this.#document, ...changes, ...this.#cover() }))
    this.#writing = write.catch(() => {})
    return write
  }

  /** It does not go back, since what was there stays there; unless the clock was ahead then. */
  #cover(): Pick<LeaseDocument, 'coveredAt'> {
    const at = this.#coveredAt()
    const { coveredAt: former } = this.#document
    const isKnown =
      former !== undefined && at !== undefined && at <= Date.parse(former) && former <= isoTime(Date.now())
    return at === undefined || isKnown ? {} : { coveredAt: isoTime(at) }
  }

  async #replace(document: LeaseDocument): Promise<void> {
    const { storage, repository } = this.#database
    const conditional = repository.capabilities.conditionalReplace
    if (!conditional) await this.#requireOurs()
    const put = () =>
      writeDocument(storage, 'lease', keyOf(this.#database), document, conditional ? { ifMatch: this.#etag } : {})
    try {
      this.#etag = (await put()).etag
    } catch (error) {
      if (!hasCode(error, 'OBJECT_CHANGED', 'OBJECT_NOT_FOUND')) throw error
      // It may be our own write, of which only the answer was lost.
      await this.#requireOurs()
      this.#etag = (await put()).etag
    }
    this.#document = document
    this.#confirmedAt = Date.now()
  }

  /**
   * A damaged document was nobody's takeover: whoever takes over writes one of his own.
   * @throws LEASE_LOST unless the document is one that this holder wrote, or is damaged; its version is then taken over
   */
  async #requireOurs(): Promise<void> {
    const info = await this.#database.storage.head(keyOf(this.#database))
    const found = info === undefined ? undefined : await readLease(this.#database, {})
    if (info === undefined || (found !== undefined && found.nonce !== this.#document.nonce)) throw this.#lostError()
    this.#etag = info.etag
  }

  #lostError(cause?: unknown): HoldfastError {
    return new HoldfastError(
      'LEASE_LOST',
      `The lease on ${this.#database.name} was lost while this process worked on it.`,
      {
        object: this.#database.name,
        cause,
        hint: 'Another process took over, or this machine slept too long. Nothing half-done is visible; run the command again.',
      },
    )
  }
}

/** The lease as it stands, and whether somebody holds it now; undefined if nobody ever did. */
export async function leaseState(
  database: DatabaseRepository,
  options: OperationOptions = {},
): Promise<{ readonly document: LeaseDocument; readonly isHeld: boolean } | undefined> {
  const document = await readDocument(database.storage, 'lease', leaseDocument, leaseKey(database.name), options)
  return document === undefined ? undefined : { document, isHeld: !isFree(document) }
}

/** Who holds the lease now, or undefined if nobody does. */
export async function leaseHolder(
  database: DatabaseRepository,
  options: OperationOptions = {},
): Promise<LeaseDocument | undefined> {
  const state = await leaseState(database, options)
  return state?.isHeld ? state.document : undefined
}

type Attempt =
  | { readonly held: LeaseDocument }
  | { readonly document: LeaseDocument; readonly etag: string }
  | { readonly retry: true }

async function tryAcquire(database: LeasePlace, options: LeaseOptions): Promise<Attempt> {
  const { storage, repository } = database
  const key = keyOf(database)
  const { conditionalCreate, conditionalReplace } = repository.capabilities
  const before = await storage.head(key, options)
  const found = before === undefined ? undefined : await readLease(database, options)
  const isOurs = options.home !== undefined && found?.home === options.home
  if (found !== undefined && !isOurs && !isFree(found)) return { held: found }
  const document = newDocument(found, options)
  const condition: PutOptions =
    before === undefined
      ? conditionalCreate
        ? { ifAbsent: true }
        : {}
      : conditionalReplace
        ? { ifMatch: before.etag }
        : {}
  let etag: string
  try {
    etag = (await writeDocument(storage, 'lease', key, document, { signal: options.signal, ...condition })).etag
  } catch (error) {
    if (hasCode(error, 'OBJECT_EXISTS', 'OBJECT_CHANGED', 'OBJECT_NOT_FOUND')) return { retry: true }
    givenUp.add(document.nonce)
    throw error
  }
  if (condition.ifAbsent === undefined && condition.ifMatch === undefined) {
    await sleep(settleMs, undefined, { signal: options.signal })
    const now = await readLease(database, options)
    if (now?.nonce !== document.nonce) return { retry: true }
  }
  return { document, etag }
}

/** A damaged lease protects nothing: it is replaced, by whoever comes first. */
async function readLease(database: LeasePlace, options: OperationOptions): Promise<LeaseDocument | undefined> {
  try {
    return await readDocument(database.storage, 'lease', leaseDocument, keyOf(database), options)
  } catch (error) {
    if (hasCode(error, 'INTEGRITY')) return undefined
    throw error
  }
}

function isFree(lease: LeaseDocument): boolean {
  if (lease.released || givenUp.has(lease.nonce)) return true
  switch (processState(lease.owner)) {
    case 'dead':
      return true
    case 'alive':
      // A process of ours that is alive but could not renew has stopped itself by its own clock: this one.
      return Date.now() > Date.parse(lease.expiresAt)
    case 'unknown':
      return Date.now() > Date.parse(lease.expiresAt) + clockMarginMs
  }
}

function newDocument(former: LeaseDocument | undefined, options: LeaseOptions): LeaseDocument {
  const now = Date.now()
  const epoch = former === undefined ? 1 : former.released ? former.epoch : former.epoch + 1
  return {
    epoch,
    ...(former === undefined || former.epochUnknown === true ? { epochUnknown: true } : {}),
    released: false,
    lsn: former?.lsn ?? 0,
    pending: former?.pending ?? null,
    nonce: randomBytes(12).toString('hex'),
    owner: currentProcess(),
    purpose: options.purpose,
    ...(options.control === undefined ? {} : { control: options.control }),
    ...(options.home === undefined ? {} : { home: options.home }),
    ...(former?.coveredAt === undefined ? {} : { coveredAt: former.coveredAt }),
    acquiredAt: isoTime(now),
    expiresAt: isoTime(now + ttlOf(options)),
  }
}

const keyOf = (place: LeasePlace) => place.leaseKey ?? leaseKey(place.name)
const ttlOf = (options: LeaseOptions) => options.ttlMs ?? 60_000
const isoTime = (time: number) => new Date(time).toISOString()
