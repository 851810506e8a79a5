import { RestoreError, toHoldfastError } from '../errors.ts'
import type { ProgressReport } from '../util/rate-meter.ts'
import { PhaseClock } from './phase-clock.ts'
import type { RecoveryPhase, RecoveryResult, RecoveryStatus, RecoveryTarget } from './recovery-options.ts'

const phaseNames: Readonly<Record<string, RecoveryPhase>> = {
  plan: 'planning',
  target: 'planning',
  fetch: 'fetching',
  replay: 'replaying',
  prove: 'proving',
  commit: 'committing',
}

/** One recovery, from its beginning to its end, as others see it. */
export class RecoveryRun {
  readonly #target: RecoveryTarget
  readonly #targetPath: string
  readonly #now: () => number
  readonly #startedAt: number
  readonly #clock = new PhaseClock('plan')
  #progress: ProgressReport | undefined
  #end: { readonly at: number; readonly outcome: RecoveryResult | RestoreError } | undefined

  /** @param now milliseconds since 1970 */
  constructor(target: RecoveryTarget, targetPath: string, now: () => number = Date.now) {
    this.#target = target
    this.#targetPath = targetPath
    this.#now = now
    this.#startedAt = now()
  }

  note(progress: ProgressReport): void {
    this.#clock.note(progress)
    this.#progress = progress
  }

  succeed(result: RecoveryResult): void {
    this.#finish(result)
  }

  /** The error to throw: it also tells what had been done. */
  fail(thrown: unknown): RestoreError {
    const error = toHoldfastError(thrown, this.#targetPath)
    const phase = error instanceof RestoreError ? error.phase : this.#clock.phase
    const { code, object, hint, cause } = error
    const message = `${error.message} ${doneBefore(phaseOf(phase), this.#progress)}`
    const told = new RestoreError(code, message, phase, { object, hint, cause })
    this.#finish(told)
    return told
  }

  get status(): RecoveryStatus {
    const shared = {
      target: this.#target,
      targetPath: this.#targetPath,
      startedAt: this.#startedAt,
      phases: this.#phases(),
    }
    if (this.#end === undefined) return { phase: phaseOf(this.#clock.phase), ...shared, progress: this.#progress }
    const { at: endedAt, outcome } = this.#end
    return outcome instanceof RestoreError
      ? { phase: 'failed', ...shared, endedAt, failedWhile: phaseOf(outcome.phase), error: outcome }
      : { phase: 'done', ...shared, endedAt, result: outcome }
  }

  #finish(outcome: RecoveryResult | RestoreError): void {
    this.#clock.stop()
    this.#end = { at: this.#now(), outcome }
  }

  #phases() {
    return this.#clock.phases.map(({ phase, durationMs }) => ({ phase: phaseOf(phase), durationMs }))
  }
}

function phaseOf(phase: string): RecoveryPhase {
  return phaseNames[phase] ?? 'planning'
}

/** What is lost, and what not, when a recovery stops there. */
function doneBefore(phase: RecoveryPhase, progress: ProgressReport | undefined): string {
  const kept = 'the target is as it was.'
  switch (phase) {
    case 'planning':
      return `Nothing had been written; ${kept}`
    case 'fetching':
      return `It had planned, and written ${partOf(progress)} of the pages beside the target; ${kept}`
    case 'replaying':
      return `It had fetched the pages, and replayed ${partOf(progress)} of a log; ${kept}`
    case 'proving':
      return `It had fetched everything and was proving it; ${kept}`
    case 'committing':
      return 'It had fetched and proved everything, and was putting it in place: the target is either as it was or wholly recovered.'
  }
}

function partOf(progress: ProgressReport | undefined): string {
  if (progress?.total === undefined || progress.total <= 0) return 'a part'
  return `${Math.floor((100 * progress.done) / progress.total)} %`
}
