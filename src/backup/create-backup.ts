import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { BackupError, type HoldfastError, type PartialBackup, toHoldfastError } from '../errors.ts'
import { zeroLsn } from '../history/lsn.ts'
import { emptyState, formatState } from '../history/state-checksum.ts'
import { acknowledgedSegments } from '../repository/acknowledged.ts'
import type { Catalog } from '../repository/catalog.ts'
import type { DatabaseRepository } from '../repository/database-repository.ts'
import { Lease } from '../repository/lease.ts'
import type { BackupManifest } from '../repository/manifest.ts'
import type { Repository } from '../repository/repository.ts'
import { fullBatch } from '../segment/full-batch.ts'
import type { SegmentEnd, SegmentHeader } from '../segment/segment.ts'
import type { BackupSource, Inspection, SourceSnapshot } from '../source/source.ts'
import { aborted } from '../util/abort.ts'
import { version } from '../util/version.ts'
import { backupId } from './backup-id.ts'
import type { BackupResult, CreateBackupOptions } from './backup-options.ts'
import { changedPages, PageCounter } from './changed-pages.ts'
import { chooseParent, type Parent } from './choose-parent.ts'
import { commitBackup } from './commit-backup.ts'
import { damagedDatabase } from './damaged-database.ts'
import { checkName, chooseDatabase, givenName, type NameChoice, recordToWrite } from './identity.ts'
import { highestEpoch, nextPosition, type Position } from './position.ts'
import { discardSegment, keyOf, readBack, type StoredSegment, storeSegment } from './store-segment.ts'

export interface CreateBackupContext extends CreateBackupOptions, NameChoice {}

/** A clock that went back by more than this is worth a warning; less is an ordinary adjustment. */
const clockStepMs = 1_000

/**
 * One backup, validated before and after. It exists once its manifest is written; whatever fails earlier leaves nothing
 * visible. @throws BackupError with the code of what went wrong
 */
export async function createBackup(
  source: BackupSource,
  repository: Repository,
  options: CreateBackupContext,
): Promise<BackupResult> {
  const startedAt = Date.now()
  const run = new BackupRun(source, repository, options, startedAt)
  try {
    return await run.execute()
  } catch (error) {
    const { code, message, object, hint, cause } = run.reasonOf(toHoldfastError(error, source.location))
    throw new BackupError(code, message, run.partial(), { object, hint, cause })
  }
}

class BackupRun {
  readonly #source: BackupSource
  readonly #repository: Repository
  #database: DatabaseRepository
  readonly #options: CreateBackupContext
  readonly #startedAt: number
  readonly #warnings: string[] = []
  /** Ends the copy early when the inspection finds damage, the lease is lost, or the user gives up. */
  readonly #stop = new AbortController()
  #phase = 'prepare'
  #bytesRead = 0
  #bytesStored = 0

  constructor(source: BackupSource, repository: Repository, options: CreateBackupContext, startedAt: number) {
    this.#source = source
    this.#repository = repository
    this.#database = repository.database(givenName(source, options))
    this.#options = options
    this.#startedAt = startedAt
  }

  partial(): PartialBackup {
    return {
      database: this.#database.name,
      type: this.#options.type,
      phase: this.#phase,
      bytesRead: this.#bytesRead,
      bytesStored: this.#bytesStored,
      startedAt: this.#startedAt,
    }
  }

  /** Why it really failed: what was stopped because of damage or a lost lease ends with a plain abort. */
  reasonOf(failure: HoldfastError): HoldfastError {
    const { signal } = this.#options
    if (signal?.aborted === true && failure.code === 'INTERNAL') return aborted(signal)
    const { aborted: stopped, reason } = this.#stop.signal
    return failure.code === 'ABORTED' && stopped ? toHoldfastError(reason, this.#source.location) : failure
  }

  async execute(): Promise<BackupResult> {
    const { signal } = this.#options
    signal?.throwIfAborted()
    this.#progress('prepare', 0, undefined, 'objects')
    this.#database = await chooseDatabase(this.#source, this.#repository, this.#options)
    await using lease = await Lease.acquire(this.#database, {
      purpose: 'backup',
      waitMs: this.#options.leaseWaitMs,
      signal,
    })
    const stopOn = [lease.signal, ...(signal === undefined ? [] : [signal])]
    for (const each of stopOn) each.addEventListener('abort', () => this.#stop.abort(each.reason), { once: true })
    const catalog = await this.#database.catalog({ signal })
    for (const { key, problem } of catalog.problems) this.#warnings.push(`${key}: ${problem}`)
    checkName(catalog, this.#options)
    const record = await recordToWrite(this.#source, this.#database, catalog, this.#options)
    if (record === 'again')
      this.#warnings.push(
        `The record of ${this.#database.name} in the repository was lost or damaged; it is written anew.`,
      )
    const { manifest, blockedMs } = await this.#store(catalog, lease)
    this.#progress('commit', 0, 1, 'objects')
    await commitBackup(this.#database, manifest, async () => {
      this.#stop.signal.throwIfAborted()
      if (record !== undefined) await this.#putRecord(record)
      await lease.confirm()
    })
    lease.complete()
    this.#progress('commit', 1, 1, 'objects')
    return {
      metadata: manifest,
      warnings: this.#warnings,
      durationMs: Date.now() - this.#startedAt,
      writersBlockedMs: blockedMs,
    }
  }

  async #putRecord(record: 'new' | 'again'): Promise<void> {
    await this.#database.putRecord(
      {
        name: this.#database.name,
        kind: this.#source.kind,
        location: this.#source.location,
        createdAt: new Date(this.#startedAt).toISOString(),
      },
      { replace: record === 'again' },
    )
  }

  async #store(catalog: Catalog, lease: Lease): Promise<{ manifest: BackupManifest; blockedMs: number }> {
    const chosen = await chooseParent(this.#database, catalog, this.#options, (warning) => this.#warnings.push(warning))
    const opened = Date.now()
    await using stack = new AsyncDisposableStack()
    const snapshot = stack.use(
      await this.#source.openSnapshot({ busyTimeoutMs: this.#options.busyTimeoutMs, signal: this.#options.signal }),
    )
    const parent = this.#usable(chosen, snapshot)
    const position = nextPosition(catalog, snapshot.capturedAt, lease.lsn)
    if (position.clockStepMs > clockStepMs) {
      this.#warnings.push(
        `The clock went back by ${Math.round(position.clockStepMs / 1000)} s since the newest state; this one is dated like that.`,
      )
    }
    if (snapshot.pageCount === 0)
      this.#warnings.push(
        `${this.#source.location} is an empty database, without a single table. Is it the right path?`,
      )
    await this.#discardLeftover(catalog, lease)
    const inspecting = this.#inspect(snapshot)
    await lease.raiseEpoch(highestEpoch(catalog))
    const stored = await this.#copy(snapshot, parent, position, lease)
    try {
      this.#progress('validate', 0, undefined, 'objects')
      const inspection = await inspecting
      const blockedMs = snapshot.blocksWriters ? Date.now() - opened : 0
      // The database is let go before the segment is read back, which can take as long as the copy.
      await stack.disposeAsync()
      await readBack(this.#database, stored, {
        signal: this.#stop.signal,
        onRead: (bytes, total) => this.#progress('verify', bytes, total, 'bytes'),
      })
      return { manifest: this.#manifest(stored, position, parent, snapshot, inspection), blockedMs }
    } catch (error) {
      await discardSegment(this.#database, stored.info.key)
      throw error
    }
  }

  /** What a writer that was interrupted before its manifest wrote down as begun. */
  async #discardLeftover(catalog: Catalog, { pending }: Lease): Promise<void> {
    if (pending === undefined || catalog.problems.length > 0) return
    if (!this.#database.repository.capabilities.consistentList) return
    const isNamed = catalog.backups.some(({ segment }) => segment === pending)
    // Retention may have dropped the backup, and kept later ones that build on its segment.
    const isBuiltOn = acknowledgedSegments(catalog).some(({ key }) => key === pending)
    if (!isNamed && !isBuiltOn) await discardSegment(this.#database, pending)
  }

  /** Its result is awaited after the copy; a failure ends the copy at once. */
  #inspect(snapshot: SourceSnapshot): Promise<Inspection> {
    const { validation = 'quick', rowCounts = true, allowDamaged = false } = this.#options
    const inspecting = snapshot.inspect({ validation, rowCounts, signal: this.#stop.signal }).then((inspection) => {
      if (!inspection.validation.ok && !allowDamaged) throw damagedDatabase(this.#source, inspection)
      return inspection
    })
    inspecting.catch((error: unknown) => this.#stop.abort(error))
    return inspecting
  }

  #usable(parent: Parent | undefined, snapshot: SourceSnapshot): Parent | undefined {
    if (parent === undefined || parent.chain.pageSize === snapshot.pageSize) return parent
    this.#warnings.push(
      `The page size changed from ${parent.chain.pageSize} to ${snapshot.pageSize} bytes since backup ${parent.backup.id}, so everything is stored anew.`,
    )
    return undefined
  }

  async #copy(
    snapshot: SourceSnapshot,
    parent: Parent | undefined,
    position: Position,
    lease: Lease,
  ): Promise<StoredSegment> {
    const { codec = 'zstd', level } = this.#options
    const counter = new PageCounter()
    const total = snapshot.pageCount * snapshot.pageSize
    const pages = counter.count(snapshot.pages({ signal: this.#stop.signal }), (bytes) => {
      this.#bytesRead = bytes
      this.#progress('copy', bytes, total, 'bytes')
    })
    const wanted = parent === undefined ? pages : changedPages(pages, parent.pages)
    async function* records() {
      for await (const batch of wanted) yield fullBatch(batch, snapshot.pageSize)
    }
    const header: SegmentHeader = {
      sourceKind: this.#source.kind,
      kind: parent === undefined ? 'base' : 'delta',
      pageSize: snapshot.pageSize,
      from: parent === undefined ? zeroLsn : parent.lsn,
      epoch: lease.epoch,
      firstTime: position.time,
      startState: parent?.chain.state ?? emptyState,
      codec,
      cipher: 'none',
      salt: randomBytes(16),
    }
    const range = { to: position.lsn, lastTime: position.time }
    const end = (): SegmentEnd => ({ ...range, endState: counter.state, pageCount: snapshot.pageCount })
    this.#progress('copy', 0, total, 'bytes')
    await lease.claim(position.lsn, keyOf(this.#database, header, range))
    return await storeSegment(this.#database, header, range, records(), end, {
      level,
      signal: this.#stop.signal,
      onStored: (bytes) => {
        this.#bytesStored = bytes
      },
    })
  }

  #manifest(
    { totals, info, end }: StoredSegment,
    position: Position,
    parent: Parent | undefined,
    snapshot: SourceSnapshot,
    { facts, validation }: Inspection,
  ): BackupManifest {
    const { type, name, tags = {}, codec = 'zstd' } = this.#options
    const now = Date.now()
    return {
      id: backupId(),
      database: this.#database.name,
      type: type === 'incremental' && parent === undefined ? 'full' : type,
      lsn: position.lsn,
      parent: parent?.backup.id ?? null,
      name: name ?? null,
      tags: { ...tags },
      pinned: type === 'snapshot',
      capturedAt: new Date(position.time).toISOString(),
      createdAt: new Date(now).toISOString(),
      durationMs: now - this.#startedAt,
      host: hostname(),
      holdfastVersion: version,
      location: this.#source.location,
      source: { ...facts, tables: [...facts.tables] },
      segment: info.key,
      segmentKind: parent === undefined ? 'base' : 'delta',
      pages: totals.records,
      codec,
      databaseBytes: snapshot.pageCount * snapshot.pageSize,
      rawBytes: totals.rawBytes,
      storedBytes: totals.storedBytes,
      compressionRatio: totals.storedBytes === 0 ? 1 : totals.rawBytes / totals.storedBytes,
      checksum: formatState(end.endState),
      validation: { ...validation, findings: [...validation.findings] },
      damaged: !validation.ok,
    }
  }

  #progress(phase: string, done: number, total: number | undefined, unit: 'bytes' | 'objects'): void {
    this.#phase = phase
    this.#options.onProgress?.({ phase, done, total, unit })
  }
}
