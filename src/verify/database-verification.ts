import { tmpdir } from 'node:os'
import { HoldfastError, hasCode } from '../errors.ts'
import type { SegmentInfo } from '../history/segment-info.ts'
import type { DatabaseRepository } from '../repository/database-repository.ts'
import { backupIdOfKey } from '../repository/layout.ts'
import {
  type Existing,
  readLedger,
  type VerificationEntry,
  type VerificationLedger,
} from '../repository/verification-ledger.ts'
import { checkChains } from './check-chains.ts'
import { checkContents } from './check-contents.ts'
import { checkRecord } from './check-record.ts'
import { type BackupOutline, type CatalogOutline, canReach, chainOnly, lostWithout, outlineOf } from './lost-backups.ts'
import { Problems } from './problems.ts'
import { readIndexes } from './read-indexes.ts'
import { scratchRestore } from './scratch-restore.ts'
import { unreadableSideDocuments } from './side-documents.ts'
import { unnamedSegments, unnamedWarning } from './unnamed-states.ts'
import type { VerifyFinding, VerifyOptions } from './verify-options.ts'

/** Verification of one database: gathers problems by object, then says which backups they cost. */
export class DatabaseVerification {
  readonly database: DatabaseRepository
  readonly #options: VerifyOptions
  readonly #now: () => number
  readonly #begunAt: string
  /** Of `#whole`. */
  #listedAt: string
  readonly #problems = new Problems()
  /** Keys of the segments that led nowhere at first. */
  #unnamed: ReadonlySet<string> = new Set()
  /** What this run is about, as far as it is still there; `#whole` is all that there is. */
  #catalog: CatalogOutline = { segments: [], backups: [], problems: [] }
  #whole = this.#catalog
  /** What it was about when it began. */
  #begun = this.#catalog
  #readable: ReadonlySet<string> = new Set()
  /** What earlier runs found. */
  ledger: VerificationLedger = { segments: {}, restores: {}, waiting: {}, untried: {} }
  /** What this run found. */
  readonly results: VerificationLedger = { segments: {}, restores: {}, waiting: {}, untried: {} }
  readonly checked = { manifests: 0, segments: 0, bytes: 0, restores: 0 }
  /** What the trial restores said, each with the backups of which it was said. */
  readonly warnings = new Map<string, string[]>()

  constructor(database: DatabaseRepository, options: VerifyOptions, now: () => number) {
    this.database = database
    this.#options = options
    this.#now = now
    this.#begunAt = this.#time()
    this.#listedAt = this.#begunAt
  }

  /** Reads what is there, and every index. */
  async checkMetadata(): Promise<void> {
    const { database } = this
    const { signal, backup, level } = this.#options
    const all = await database.catalog({ signal })
    this.#whole = outlineOf(all)
    this.#catalog = backup === undefined ? this.#whole : outlineOf(chainOnly(all, backup))
    this.#begun = this.#catalog
    if (backup === undefined) this.#unnamed = new Set(unnamedSegments(all).map(({ key }) => key))
    this.checked.manifests = this.#catalog.backups.length
    await checkRecord(database, this.#whole, this.#problems, { signal })
    for (const { key, problem } of await unreadableSideDocuments(database, { signal }))
      this.#problems.objects.set(key, problem)
    for (const { key, problem } of this.#catalog.problems) this.#problems.objects.set(key, problem)
    const states = await readIndexes(database, this.#catalog.segments, this.#problems, this.#options)
    this.#readable = new Set(states.keys())
    const chains = { database, catalog: this.#catalog, whole: this.#whole, states }
    await checkChains(chains, this.#problems, { signal })
    if (level !== 'metadata') this.ledger = await readLedger(database, { signal })
  }

  /** The segments whose contents can be checked. */
  get segments(): SegmentInfo[] {
    return this.#catalog.segments.filter(({ key }) => this.#readable.has(key))
  }

  async checkSegment(segment: SegmentInfo, onBytes: (done: number) => void): Promise<void> {
    await checkContents(this.database, segment, this.#problems, { signal: this.#options.signal, onBytes })
    this.checked.segments += 1
    this.checked.bytes += segment.bytes
    this.results.segments[segment.key] = this.#entry(this.#problems.objects.get(segment.key))
  }

  /** The backups that a trial restore can be made of. */
  get backups(): BackupOutline[] {
    const restorable = new Set(this.restorable())
    return this.#catalog.backups.filter(({ id }) => restorable.has(id))
  }

  async tryRestore(id: string): Promise<void> {
    try {
      const { warnings } = await scratchRestore(this.database, id, this.#options)
      const known = new Set(this.#whole.problems.map(({ key, problem }) => `${key}: ${problem}`))
      for (const warning of warnings) if (!known.has(warning)) this.#warn(warning, id)
    } catch (error) {
      if (hasCode(error, 'DISK_FULL')) {
        this.#leaveUntried(id)
        return
      }
      if (!hasCode(error, 'INTEGRITY', 'PROOF_FAILED', 'STORAGE_CORRUPT', 'NOT_RESTORABLE', 'BACKUP_NOT_FOUND'))
        throw error
      this.#problems.backups.set(id, error.message)
    }
    this.checked.restores += 1
    this.results.restores[id] = this.#entry(this.#problems.backups.get(id))
  }

  /** When an object was checked last, or was to be and could not. */
  lookedAt(of: 'segments' | 'restores', key: string): string | undefined {
    const checkedAt = this.ledger[of][key]?.checkedAt
    const untriedAt = of === 'restores' ? this.ledger.untried[key] : undefined
    return checkedAt === undefined || (untriedAt !== undefined && untriedAt > checkedAt) ? untriedAt : checkedAt
  }

  /** The object waits for its check, from now on unless it did before. */
  awaits(key: string): void {
    this.results.waiting[key] = this.#begunAt
  }

  /** How many trial restores there was no room for. */
  get untried(): number {
    return Object.keys(this.results.untried).length
  }

  /** What this run did not reach stays as bad as it was found. */
  recallSegments(): void {
    for (const { key } of this.segments)
      recall(key, this.ledger.segments, this.results.segments, this.#problems.objects)
  }

  recallRestores(): void {
    for (const { id } of this.backups) recall(id, this.ledger.restores, this.results.restores, this.#problems.backups)
  }

  /** See {@link unnamedWarning}. */
  async unnamed(): Promise<readonly string[]> {
    const warning = await unnamedWarning(this.database, this.#unnamed, { signal: this.#options.signal })
    return warning === undefined ? [] : [warning]
  }

  /** What somebody deleted meanwhile, as a delete does it (manifests first), is no damage. */
  async forgetDeleted({ signal }: Pick<VerifyOptions, 'signal'> = this.#options): Promise<void> {
    if (!this.#problems.any) return
    const listedAt = this.#time()
    const now = outlineOf(await this.database.catalog({ signal }))
    const { segments: keys, backups: ids } = existingIn(now)
    const problemKeys = new Set(now.problems.map(({ key }) => key))
    const begun = this.#begun
    const backups = begun.backups.filter(({ id }) => ids.has(id))
    if (backups.some(({ lsn }) => !canReach(now.segments, lsn))) return
    const { objects, backups: broken } = this.#problems
    const { segments, restores } = this.results
    for (const { key } of begun.segments) {
      if (keys.has(key)) continue
      objects.delete(key)
      delete segments[key]
    }
    for (const { id } of begun.backups) {
      if (ids.has(id)) continue
      broken.delete(id)
      delete restores[id]
    }
    for (const { key } of begun.problems) if (!problemKeys.has(key)) objects.delete(key)
    this.#catalog = { ...begun, segments: begun.segments.filter(({ key }) => keys.has(key)), backups }
    this.#whole = now
    // Else what was written down of it would pass for that of something newer.
    this.#listedAt = listedAt
  }

  /** What this run found so far, to be remembered. What looks damaged is left out where it cannot be told whether somebody deleted it. */
  async lasting(): Promise<VerificationLedger> {
    try {
      await this.forgetDeleted({})
      return this.results
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error
      // Whoever stopped the run, or could not end it, was told why; what is damaged is found again.
      const sound = (entries: Entries) => Object.fromEntries(Object.entries(entries).filter(([, { ok }]) => ok))
      const { segments, restores, ...others } = this.results
      return { ...others, segments: sound(segments), restores: sound(restores) }
    }
  }

  get existing(): Existing {
    return { ...existingIn(this.#whole), listedAt: this.#listedAt }
  }

  findings(): VerifyFinding[] {
    const { name: database } = this.database
    const objects = [...this.#problems.objects].map(([object, problem]) => {
      const ofManifest = backupIdOfKey(object)
      const affectedBackups =
        ofManifest === undefined ? lostWithout(this.#catalog, new Set([object])) : this.#unreadable(ofManifest)
      return { database, object, problem, affectedBackups }
    })
    const backups = [...this.#problems.backups].map(([object, problem]) => {
      return { database, object, problem, affectedBackups: [object] }
    })
    return [...objects, ...backups]
  }

  restorable(): string[] {
    const { objects, backups } = this.#problems
    const lost = new Set([...lostWithout(this.#catalog, new Set(objects.keys())), ...backups.keys()])
    return this.#catalog.backups.flatMap(({ id }) => (lost.has(id) ? [] : [id]))
  }

  /** A copy of a manifest in a wrong place costs nothing while the real one is there. */
  #unreadable(id: string): string[] {
    return this.#whole.backups.some((backup) => backup.id === id) ? [] : [id]
  }

  /** That says nothing about the backup, and others may be smaller. */
  #leaveUntried(id: string): void {
    this.#warn(`not tried, because there is no room for it in ${this.#options.scratchFolder ?? tmpdir()}.`, id)
    this.results.untried[id] = this.#time()
  }

  #warn(warning: string, id: string): void {
    this.warnings.set(warning, [...(this.warnings.get(warning) ?? []), id])
  }

  #entry(problem: string | undefined): VerificationEntry {
    return { checkedAt: this.#time(), ok: problem === undefined, problem: problem ?? '' }
  }

  #time(): string {
    return new Date(this.#now()).toISOString()
  }
}

function existingIn({ segments, backups }: CatalogOutline): { segments: Set<string>; backups: Set<string> } {
  return { segments: new Set(segments.map(({ key }) => key)), backups: new Set(backups.map(({ id }) => id)) }
}

type Entries = Readonly<Record<string, VerificationEntry>>

function recall(key: string, former: Entries, now: Entries, problems: Map<string, string>): void {
  const known = former[key]
  if (now[key] !== undefined || known === undefined || known.ok) return
  problems.set(key, `${known.problem} (Found at ${known.checkedAt}; not checked again in this run.)`)
}
