import { join } from 'node:path'
import { HoldfastError } from '../../errors.ts'
import type { Catalog } from '../../repository/catalog.ts'
import type { DatabaseRepository } from '../../repository/database-repository.ts'
import type { BackupManifest } from '../../repository/manifest.ts'
import { measuredRestore } from '../../restore/measured-restore.ts'
import { PhaseClock } from '../../restore/phase-clock.ts'
import { resolveState } from '../../restore/resolve-state.ts'
import type { RestoreResult, RestoreTargetState } from '../../restore/restore-options.ts'
import type { ScratchFolder } from '../scratch-folder.ts'
import type { DrillCheck, DrillOptions, DrillReport, DrillState } from './drill-options.ts'
import { judgeFailure } from './judge-failure.ts'
import { judgeObjectives } from './judge-objectives.ts'
import { judgeProof } from './judge-proof.ts'
import { randomState } from './random-state.ts'
import { runAssertions } from './run-assertions.ts'
import { runCheckCommand } from './run-check-command.ts'
import { reasonsOf, verdictOf } from './verdict.ts'

interface RunOptions extends DrillOptions {
  readonly state: DrillState
  /** Of a random state. */
  readonly seed: number | undefined
}

const defaultTimeLimitMs = 5 * 60 * 1000

/** One drill, from its beginning to its report. */
export class DrillRun {
  readonly #options: RunOptions
  readonly #now: () => number
  readonly #startedAt: number
  readonly #checks: DrillCheck[] = []
  #warnings: string[] = []
  #target: { readonly database: DatabaseRepository; readonly wanted: RestoreTargetState } | undefined
  #state: DrillReport['state']
  #recovery: DrillReport['recovery']
  #failure: DrillReport['failure']
  #keptFile: string | undefined

  constructor(options: RunOptions, now: () => number) {
    this.#options = options
    this.#now = now
    this.#startedAt = now()
  }

  /** Which state it is about, before anything is fetched, so that a failure is one of that state. @throws NOT_RESTORABLE, BACKUP_NOT_FOUND */
  async resolve(database: DatabaseRepository, catalog: Catalog): Promise<void> {
    const { state, seed = 0, signal } = this.#options
    const wanted = state.by === 'random' ? randomState(catalog, seed) : state
    const { lsn, backup } = await resolveState(database, catalog, wanted, { signal })
    this.#noteState(lsn, undefined, backup ?? catalog.backups.findLast((other) => other.lsn === lsn))
    this.#target = { database, wanted }
  }

  /** Restores into the folder, and tries everything that was asked for. */
  async execute(scratch: ScratchFolder): Promise<void> {
    const result = await this.#restore(join(scratch.path, 'restored.db'))
    const { plan, proof, durationMs: recoveryMs, targetPath } = result
    if (proof === undefined) throw new HoldfastError('INTERNAL', 'A drill restored without a proof.')
    this.#noteState(plan.lsn, plan.time, plan.backup)
    this.#checks.push(...judgeProof(proof, plan.backup))
    await this.#assert(targetPath)
    await this.#command(targetPath)
    const ageMs = Math.max(0, this.#startedAt - plan.time)
    this.#checks.push(...judgeObjectives(this.#options, { recoveryMs, ageMs }))
    if (this.#options.keep === true) this.#keptFile = join(await scratch.keep(), 'restored.db')
  }

  /** Whether the failure is one for the report. */
  note(failure: HoldfastError): boolean {
    const check = judgeFailure(failure)
    if (check === undefined) return false
    this.#checks.push(check)
    this.#failure = { code: failure.code, object: failure.object }
    return true
  }

  report(database: string): DrillReport {
    return {
      database,
      verdict: verdictOf(this.#checks),
      reasons: reasonsOf(this.#checks),
      checks: this.#checks,
      state: this.#state,
      seed: this.#options.seed,
      recovery: this.#recovery,
      failure: this.#failure,
      keptFile: this.#keptFile,
      warnings: this.#warnings,
      startedAt: this.#startedAt,
      durationMs: this.#now() - this.#startedAt,
    }
  }

  async #restore(targetPath: string): Promise<RestoreResult> {
    if (this.#target === undefined) throw new HoldfastError('INTERNAL', 'A drill began before its state was known.')
    const { database, wanted: state } = this.#target
    const { signal, onProgress } = this.#options
    const clock = new PhaseClock('plan')
    const result = await measuredRestore(database, {
      state,
      targetPath,
      signal,
      onProgress: (progress) => {
        clock.note(progress)
        onProgress?.(progress)
      },
    })
    clock.stop()
    this.#warnings = [...result.warnings]
    this.#recovery = {
      durationMs: result.durationMs,
      phases: clock.phases.map(({ phase, durationMs }) => ({ phase, durationMs: Math.round(durationMs) })),
      bytesFetched: result.bytesFetched,
      bytesWritten: result.pagesWritten * result.plan.pageSize,
      commitsReplayed: result.plan.estimate.commitsToReplay,
    }
    return result
  }

  async #assert(path: string): Promise<void> {
    const { assertions = [], timeLimitMs = defaultTimeLimitMs, signal } = this.#options
    if (assertions.length === 0) return
    const onDone = (done: number) => this.#progress('assert', done, assertions.length)
    onDone(0)
    this.#checks.push(...(await runAssertions(path, assertions, { timeLimitMs, signal, onDone })))
  }

  async #command(file: string): Promise<void> {
    const { command, timeLimitMs = defaultTimeLimitMs, signal } = this.#options
    if (command === undefined) return
    this.#progress('command', 0, 1)
    const environment = this.#environment(file)
    this.#checks.push(await runCheckCommand({ command, file, environment, timeLimitMs, signal }))
    this.#progress('command', 1, 1)
  }

  #environment(file: string): Readonly<Record<string, string>> {
    const { lsn, time, backup } = this.#state ?? {}
    return {
      HOLDFAST_RESTORED_FILE: file,
      HOLDFAST_DATABASE: this.#target?.database.name ?? '',
      HOLDFAST_LSN: String(lsn ?? ''),
      HOLDFAST_TIME: time === undefined ? '' : new Date(time).toISOString(),
      HOLDFAST_BACKUP: backup?.id ?? '',
    }
  }

  #noteState(
    lsn: NonNullable<DrillReport['state']>['lsn'],
    knownTime: number | undefined,
    backup: BackupManifest | undefined,
  ): void {
    const time = knownTime ?? (backup === undefined ? undefined : Date.parse(backup.capturedAt))
    this.#state = {
      lsn,
      time,
      ageMs: time === undefined ? undefined : Math.max(0, this.#startedAt - time),
      backup: backup && { id: backup.id, type: backup.type, name: backup.name },
    }
  }

  #progress(phase: string, done: number, total: number): void {
    this.#options.onProgress?.({ phase, done, total, unit: 'objects' })
  }
}
