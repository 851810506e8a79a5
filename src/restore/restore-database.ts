import { RestoreError, toHoldfastError } from '../errors.ts'
import type { RestoreRates } from '../history/estimate.ts'
import { unacknowledgedWarning } from '../repository/acknowledged.ts'
import type { DatabaseRepository } from '../repository/database-repository.ts'
import type { BackupManifest } from '../repository/manifest.ts'
import { type PageHashes, readPageHashes } from '../repository/page-hashes.ts'
import { openTarget, previewTarget } from '../source/sqlite/target/open-target.ts'
import type { Proof, RestoreTarget } from '../source/target.ts'
import { lockPage } from '../util/lock-page.ts'
import { type Fetched, fetchPages, type WantedPages } from './fetch-pages.ts'
import { listAgain } from './list-again.ts'
import { type Damage, noteDamage, type OpenedPlan, openPlan } from './open-plan.ts'
import { requireOutsideRepository } from './outside-repository.ts'
import { defaultRates } from './rates/default-rates.ts'
import { resolveState } from './resolve-state.ts'
import type { RestoreOptions, RestoreResult } from './restore-options.ts'
import { unknownBefore } from './unknown-before.ts'

/**
 * Restores a state into a file beside the target, proves it, and only then puts it in place. Whatever fails leaves the old
 * file as it was.
 * @param rates for the estimate in the plan
 * @throws RestoreError with the code of what went wrong
 */
export async function restoreDatabase(
  database: DatabaseRepository,
  options: RestoreOptions,
  rates: RestoreRates = defaultRates,
): Promise<RestoreResult> {
  const run = new RestoreRun(database, options, rates)
  try {
    return await run.execute()
  } catch (error) {
    const { code, message, object, hint, cause } = toHoldfastError(error, options.targetPath)
    throw new RestoreError(code, message, run.phase, { object, hint, cause })
  }
}

class RestoreRun {
  readonly #database: DatabaseRepository
  readonly #options: RestoreOptions
  readonly #rates: RestoreRates
  readonly #startedAt = Date.now()
  #warnings: string[] = []
  /** Segments found damaged on the way; the restore goes around them where it can. */
  readonly #damage: Damage = new Map()
  phase = 'plan'

  constructor(database: DatabaseRepository, options: RestoreOptions, rates: RestoreRates) {
    this.#database = database
    this.#options = options
    this.#rates = rates
  }

  async execute(): Promise<RestoreResult> {
    const { state, signal, dryRun = false } = this.#options
    signal?.throwIfAborted()
    await requireOutsideRepository(this.#database.repository.url, this.#options.targetPath)
    this.#progress('plan', 0, undefined, 'objects')
    return await listAgain(this.#database, { signal }, async (catalog, mayListAgain) => {
      this.#warnings = catalog.problems.map(({ key, problem }) => `${key}: ${problem}`)
      const wanted = await resolveState(this.#database, catalog, state, { signal })
      const beyond = state.by === 'latest' ? unacknowledgedWarning(catalog, wanted.lsn) : undefined
      const unknown = unknownBefore(catalog, state)
      this.#warnings.push(...[beyond, unknown].filter((warning) => warning !== undefined))
      const planning = { signal, rates: this.#rates, mayListAgain }
      for (;;) {
        const opened = await openPlan(this.#database, catalog, wanted, this.#damage, planning)
        try {
          return dryRun ? await this.#planned(opened) : await this.#restore(opened)
        } catch (error) {
          if (!noteDamage(error, catalog, this.#damage, mayListAgain)) throw error
        }
      }
    })
  }

  async #planned({ plan, chain }: OpenedPlan): Promise<RestoreResult> {
    const { targetPath, delta, force } = this.#options
    const { pageSize, pageCount } = chain
    this.phase = 'target'
    const mode = await previewTarget(targetPath, { pageSize, pageCount, force, delta })
    return {
      ...this.#result(),
      plan,
      dryRun: true,
      targetPath,
      mode,
      proof: undefined,
      pagesWritten: 0,
      bytesFetched: 0,
    }
  }

  async #restore({ plan, chain }: OpenedPlan): Promise<RestoreResult> {
    const { targetPath, force, delta, concurrency, signal } = this.#options
    const { pageSize, pageCount } = chain
    const table = await readPageHashes(chain, { signal })
    this.phase = 'target'
    await using target = await openTarget(targetPath, { pageSize, pageCount, force, delta, signal })
    const wanted = await wantedPages(target, table, pageSize)
    await target.expect?.(wanted)
    const total = wanted.reduce((sum, each) => sum + each, 0) * pageSize
    this.#progress('fetch', 0, total, 'bytes')
    const fetched: Fetched = await fetchPages(chain, table, wanted, target, {
      concurrency,
      signal,
      onWritten: (bytes) => this.#progress('fetch', bytes, total, 'bytes'),
      onApplied: (records, all) => this.#progress('replay', records, all, 'objects'),
    })
    const proof = await this.#prove(target, { plan, chain })
    const said = [...damageWarning(plan.backup), ...proof.warnings]
    signal?.throwIfAborted()
    this.#progress('commit', 0, 1, 'objects')
    await target.commit()
    this.#progress('commit', 1, 1, 'objects')
    return {
      ...this.#result(said),
      plan,
      dryRun: false,
      targetPath,
      mode: target.mode,
      proof,
      pagesWritten: fetched.pages,
      bytesFetched: fetched.bytesFetched,
    }
  }

  #prove(target: RestoreTarget, { plan, chain }: OpenedPlan): Promise<Proof> {
    const { validation = 'integrity', checkCommand, signal } = this.#options
    const { backup } = plan
    this.#progress('prove', 0, chain.pageCount * chain.pageSize, 'bytes')
    return target.prove(
      {
        state: chain.state,
        facts: backup?.source,
        level: validation,
        rowCounts: true,
        command: checkCommand,
        alreadyDamaged: backup?.damaged === true,
        levelAtBackup: backup?.validation.level,
        // A report without checks says 0 too.
        expectedForeignKeyViolations:
          backup?.validation.level === 'none' ? undefined : backup?.validation.foreignKeyViolations,
      },
      { signal, onProgress: (done, total) => this.#progress('prove', done, total, 'bytes') },
    )
  }

  /** Damage is never passed over in silence, even where another chain leads to the same state. */
  #result(said: readonly string[] = []) {
    const detours = [...this.#damage.values()].map(
      ({ message }) => `Another way to this state was taken, because: ${message}`,
    )
    return { durationMs: Date.now() - this.#startedAt, warnings: [...this.#warnings, ...said, ...detours] }
  }

  #progress(phase: string, done: number, total: number | undefined, unit: 'bytes' | 'objects'): void {
    this.phase = phase
    this.#options.onProgress?.({ phase, done, total, unit })
  }
}

function damageWarning(backup: BackupManifest | undefined): string[] {
  if (backup?.damaged !== true) return []
  const { findings } = backup.validation
  return [`Backup ${backup.id} is of a database that failed its checks: ${findings[0] ?? 'foreign keys'}.`]
}

/** Every page, or, when an existing file is reused, those that it has not got already, and those that logs build on. */
async function wantedPages(
  target: RestoreTarget,
  { hashes, stepped }: PageHashes,
  pageSize: number,
): Promise<WantedPages> {
  const wanted = new Uint8Array(hashes.length).fill(1)
  if (target.currentHashes !== undefined) {
    for await (const current of target.currentHashes()) {
      for (let i = 0; i < current.pages.length; i += 1) {
        const page = current.pages[i] ?? 0
        if (page <= hashes.length && stepped[page - 1] === 0 && current.hashes[i] === hashes[page - 1])
          wanted[page - 1] = 0
      }
    }
  }
  const lock = lockPage(pageSize)
  if (lock <= wanted.length) wanted[lock - 1] = 0
  return wanted
}
