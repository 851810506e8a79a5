import { type HoldfastError, hasCode, toHoldfastError } from '../errors.ts'
import { checkChain, type ChainLink as HistoryLink } from '../history/chain.ts'
import { toLsn } from '../history/lsn.ts'
import { type PlanStep, planRestore } from '../history/plan.ts'
import { latestPoint } from '../history/reachable.ts'
import type { SegmentInfo } from '../history/segment-info.ts'
import { emptyState, formatState, type StateChecksum } from '../history/state-checksum.ts'
import { UnreachableError } from '../history/unreachable-error.ts'
import { type Catalog, findBackup } from '../repository/catalog.ts'
import { leftAt, withStates } from '../repository/chain.ts'
import type { DatabaseRepository } from '../repository/database-repository.ts'
import { backupIdOfKey, databaseRecordKey } from '../repository/layout.ts'
import type { BackupManifest } from '../repository/manifest.ts'
import { readLedger, type VerificationEntry, type VerificationLedger } from '../repository/verification-ledger.ts'
import { findDamage, type SegmentDamage } from '../segment/damage-report.ts'
import type { SegmentReader } from '../segment/read-segment.ts'
import { scratchRestore } from './scratch-restore.ts'
import { unreadableSideDocuments } from './side-documents.ts'
import type { VerifyBudget } from './verify-budget.ts'
import type { VerifyFinding, VerifyLevel, VerifyOptions } from './verify-options.ts'

/** Verification of one database: gathers problems by object, then says which backups they cost. */
export class DatabaseVerification {
  readonly #database: DatabaseRepository
  readonly #level: VerifyLevel
  readonly #budget: VerifyBudget
  readonly #options: VerifyOptions
  readonly #readers = new Map<string, SegmentReader>()
  readonly #problems = new Map<string, string>()
  /** Backups that fail for a reason of their own, not because of one object. */
  readonly #broken = new Map<string, string>()
  /** What this run is about; `#whole` is all that there is. */
  #catalog: Catalog = { database: '', segments: [], backups: [], gaps: [], problems: [] }
  #whole: Catalog = this.#catalog
  readonly results: VerificationLedger = { segments: {}, restores: {} }
  readonly checked = { manifests: 0, segments: 0, bytes: 0, restores: 0 }
  remaining = 0

  constructor(database: DatabaseRepository, level: VerifyLevel, budget: VerifyBudget, options: VerifyOptions) {
    this.#database = database
    this.#level = level
    this.#budget = budget
    this.#options = options
  }

  async run(): Promise<void> {
    const { signal, backup } = this.#options
    this.#whole = await this.#database.catalog({ signal })
    await this.#checkRecord()
    await this.#checkSideDocuments()
    this.#catalog = backup === undefined ? this.#whole : chainOnly(this.#whole, backup)
    for (const { key, problem } of this.#catalog.problems) this.#problems.set(key, problem)
    this.checked.manifests = this.#catalog.backups.length
    await this.#checkIndexes()
    await this.#checkChains()
    const ledger = this.#level === 'metadata' ? this.results : await readLedger(this.#database, { signal })
    if (this.#level !== 'metadata') await this.#checkContents(ledger)
    if (this.#level === 'restore') await this.#checkRestores(ledger)
    if (this.#problems.size > 0 || this.#broken.size > 0) await this.#forgetDeleted()
  }

  /** What somebody deleted meanwhile, as a delete does it (manifests first), is no damage. */
  async #forgetDeleted(): Promise<void> {
    const now = await this.#database.catalog({ signal: this.#options.signal })
    const keys = new Set(now.segments.map(({ key }) => key))
    const ids = new Set(now.backups.map(({ id }) => id))
    const problemKeys = new Set(now.problems.map(({ key }) => key))
    const backups = this.#catalog.backups.filter(({ id }) => ids.has(id))
    if (backups.some(({ lsn }) => !canReach(now.segments, lsn))) return
    const gone = ({ key }: { readonly key: string }) => !keys.has(key)
    for (const { key } of this.#catalog.segments.filter(gone)) this.#problems.delete(key)
    for (const { id } of this.#catalog.backups) if (!ids.has(id)) this.#broken.delete(id)
    for (const { key } of this.#catalog.problems) if (!problemKeys.has(key)) this.#problems.delete(key)
    this.#catalog = { ...this.#catalog, segments: this.#catalog.segments.filter(({ key }) => keys.has(key)), backups }
    this.#whole = now
  }

  get existing(): { segments: ReadonlySet<string>; backups: ReadonlySet<string> } {
    return {
      segments: new Set(this.#whole.segments.map(({ key }) => key)),
      backups: new Set(this.#whole.backups.map(({ id }) => id)),
    }
  }

  findings(): VerifyFinding[] {
    const database = this.#database.name
    const objects = [...this.#problems].map(([object, problem]) => {
      const ofManifest = backupIdOfKey(object)
      return {
        database,
        object,
        problem,
        affectedBackups: ofManifest === undefined ? this.#lostWithout(new Set([object])) : this.#unreadable(ofManifest),
      }
    })
    const backups = [...this.#broken].map(([object, problem]) => ({
      database,
      object,
      problem,
      affectedBackups: [object],
    }))
    return [...objects, ...backups]
  }

  restorable(): string[] {
    const lost = new Set([...this.#lostWithout(new Set(this.#problems.keys())), ...this.#broken.keys()])
    return this.#catalog.backups.flatMap(({ id }) => (lost.has(id) ? [] : [id]))
  }

  async #checkRecord(): Promise<void> {
    try {
      const record = await this.#database.record(this.#options)
      if (record !== undefined && record.name === this.#database.name) return
      // The first backup, interrupted, leaves a segment without a record: nothing was promised yet.
      if (record === undefined && this.#whole.backups.length === 0 && this.#whole.problems.length === 0) return
      const problem =
        record === undefined
          ? 'The record of the database is missing.'
          : `It is that of another database, ${record.name}.`
      this.#problems.set(databaseRecordKey(this.#database.name), problem)
    } catch (error) {
      if (!isDamage(error)) throw error
      this.#problems.set(error.object ?? this.#database.name, error.message)
    }
  }

  /** What no backup depends on: the next writer replaces them. Still, somebody or something broke them. */
  async #checkSideDocuments(): Promise<void> {
    for (const { key, problem } of await unreadableSideDocuments(this.#database, this.#options))
      this.#problems.set(key, problem)
  }

  async #checkIndexes(): Promise<void> {
    const { segments } = this.#catalog
    for (const [done, segment] of segments.entries()) {
      this.#options.onProgress?.({ phase: 'metadata', done, total: segments.length, unit: 'objects' })
      await this.#guard(segment, async () => {
        this.#readers.set(segment.key, await this.#database.openSegment(segment, { signal: this.#options.signal }))
      })
    }
  }

  /** Every backup must be reached by segments that follow one another by content, and end in the state that it promises. */
  async #checkChains(): Promise<void> {
    const sound = this.#catalog.segments.filter(({ key }) => !this.#problems.has(key))
    for (const backup of this.#catalog.backups) {
      try {
        const { steps } = planRestore(sound, toLsn(backup.lsn))
        if (steps.some(({ segment }) => segment.key === backup.segment)) this.#checkParent(backup)
        const state = formatState(await this.#follow(steps))
        if (state !== backup.checksum)
          this.#broken.set(backup.id, `It promises the state ${backup.checksum}, but its segments lead to ${state}.`)
      } catch (error) {
        if (!(error instanceof UnreachableError)) throw error
        const { segment } = backup
        const isMissing = segment !== null && !this.#catalog.segments.some(({ key }) => key === segment)
        if (isMissing) this.#problems.set(segment, 'The segment is missing.')
      }
    }
    // What was captured since the newest backup has no manifest.
    const newest = latestPoint(sound)
    if (newest !== undefined) await this.#follow(planRestore(sound, newest.lsn).steps)
    const explained = new Set(this.#lostWithout(new Set(this.#problems.keys())))
    for (const { id, lsn } of this.#catalog.backups) {
      if (!explained.has(id) && !canReach(this.#catalog.segments, lsn))
        this.#broken.set(id, 'Segments and manifests that it builds on are missing: no chain leads to it.')
    }
  }

  /** Follows a chain by its states, noting where it does not hold. Returns the state that it leads to. */
  async #follow(steps: readonly PlanStep[]): Promise<StateChecksum> {
    const links: HistoryLink[] = []
    for (const step of steps) {
      const reader = this.#readers.get(step.segment.key)
      if (reader === undefined) continue
      await this.#guard(step.segment, async () => {
        links.push(withStates({ ...step, reader, ...(await leftAt(reader, step, this.#options)) }))
      })
    }
    const broken = checkChain(links)
    if (broken !== undefined) this.#problems.set(broken.link.segment.key, broken.message)
    return links.at(-1)?.endState ?? emptyState
  }

  /** A backup that another builds on is never deleted, so its manifest was lost. */
  #checkParent({ id, parent }: BackupManifest): void {
    if (parent === null || this.#whole.backups.some((backup) => backup.id === parent)) return
    if (this.#whole.problems.some(({ key }) => backupIdOfKey(key) === parent)) return
    this.#broken.set(parent, `Its manifest is missing, though backup ${id} builds on it.`)
  }

  async #checkContents(ledger: VerificationLedger): Promise<void> {
    const open = this.#catalog.segments.filter(({ key }) => this.#readers.has(key))
    const chosen = this.#budget.choose(open, ({ key }) => ledger.segments[key])
    this.remaining += open.length - chosen.length
    const total = chosen.reduce((sum, { bytes }) => sum + bytes, 0)
    let before = 0
    for (const [i, segment] of chosen.entries()) {
      if (!this.#budget.timeLeft) {
        this.remaining += chosen.length - i
        break
      }
      await this.#guard(segment, async () => {
        const reader = this.#readers.get(segment.key)
        if (reader === undefined) return
        const damage = await findDamage(reader.checkContents({ signal: this.#options.signal }), ({ done }) =>
          this.#options.onProgress?.({ phase: 'data', done: before + done, total, unit: 'bytes' }),
        )
        if (damage.length > 0) this.#problems.set(segment.key, damageText(damage))
      })
      before += segment.bytes
      this.checked.segments += 1
      this.checked.bytes += segment.bytes
      this.results.segments[segment.key] = entry(this.#problems.get(segment.key))
    }
    for (const { key } of open) {
      const former = ledger.segments[key]
      if (this.results.segments[key] === undefined && former?.ok === false) this.#problems.set(key, remembered(former))
    }
  }

  async #checkRestores(ledger: VerificationLedger): Promise<void> {
    const restorable = new Set(this.restorable())
    const candidates = this.#catalog.backups.filter(({ id }) => restorable.has(id))
    const chosen = this.#budget.choose(candidates, ({ id }) => ledger.restores[id])
    this.remaining += candidates.length - chosen.length
    for (const [done, backup] of chosen.entries()) {
      if (!this.#budget.timeLeft) {
        this.remaining += chosen.length - done
        break
      }
      this.#options.onProgress?.({ phase: 'restore', done, total: chosen.length, unit: 'objects' })
      try {
        await scratchRestore(this.#database, backup, this.#options)
      } catch (error) {
        if (!hasCode(error, 'INTEGRITY', 'PROOF_FAILED', 'STORAGE_CORRUPT', 'NOT_RESTORABLE', 'BACKUP_NOT_FOUND'))
          throw error
        this.#broken.set(backup.id, error.message)
      }
      this.checked.restores += 1
      this.results.restores[backup.id] = entry(this.#broken.get(backup.id))
    }
    for (const { id } of candidates) {
      const former = ledger.restores[id]
      if (this.results.restores[id] === undefined && former?.ok === false) this.#broken.set(id, remembered(former))
    }
  }

  async #guard(segment: SegmentInfo, check: () => Promise<void>): Promise<void> {
    try {
      await check()
    } catch (error) {
      const failure = toHoldfastError(error, segment.key)
      if (!isDamage(failure)) throw failure
      this.#problems.set(segment.key, failure.message)
    }
  }

  /** A copy of a manifest in a wrong place costs nothing while the real one is there. */
  #unreadable(id: string): string[] {
    return this.#whole.backups.some((backup) => backup.id === id) ? [] : [id]
  }

  /** Ids of the backups that cannot be reached any more without these objects. */
  #lostWithout(objects: ReadonlySet<string>): string[] {
    const left = this.#catalog.segments.filter(({ key }) => !objects.has(key))
    const gone =
      left.length < this.#catalog.segments.length || this.#catalog.backups.some(({ segment }) => segment !== null && objects.has(segment))
    if (!gone) return []
    return this.#catalog.backups.flatMap(({ id, lsn }) => (canReach(left, lsn) ? [] : [id]))
  }
}

function canReach(segments: readonly SegmentInfo[], lsn: number): boolean {
  try {
    planRestore(segments, toLsn(lsn))
    return true
  } catch (error) {
    if (error instanceof UnreachableError) return false
    throw error
  }
}

/** The catalog of one backup and the segments on its way. */
function chainOnly(catalog: Catalog, idOrName: string): Catalog {
  const backup: BackupManifest = findBackup(catalog, idOrName)
  try {
    const segments = planRestore(catalog.segments, toLsn(backup.lsn)).steps.map(({ segment }) => segment)
    return { ...catalog, segments, backups: [backup], problems: [] }
  } catch (error) {
    if (!(error instanceof UnreachableError)) throw error
    return { ...catalog, backups: [backup], problems: [] }
  }
}

/** The first few in full; a segment that was cut has as many as it lost blocks. */
function damageText(damage: readonly SegmentDamage[]): string {
  const shown = damage.slice(0, 3).map(({ message }) => message)
  return damage.length > shown.length
    ? `${shown.join(' ')} (and ${damage.length - shown.length} more)`
    : shown.join(' ')
}

function isDamage(error: unknown): error is HoldfastError {
  return hasCode(error, 'INTEGRITY', 'FORMAT_TOO_NEW', 'STORAGE_CORRUPT', 'WRONG_KEY')
}

/** What a partial run did not reach stays as bad as it was found. */
function remembered({ problem, checkedAt }: VerificationEntry): string {
  return `${problem} (Found at ${checkedAt}; not checked again in this run.)`
}

function entry(problem: string | undefined): VerificationEntry {
  return { checkedAt: new Date().toISOString(), ok: problem === undefined, problem: problem ?? '' }
}
