import { Worker } from 'node:worker_threads'
import { HoldfastError } from '../../../errors.ts'
import type { DatabaseFacts, ValidationReport } from '../../facts.ts'
import type { ValidationLevel } from '../../source.ts'
import { findingsLimit } from '../inspect/check.ts'

export interface CheckRequest {
  readonly path: string
  readonly level: ValidationLevel
  /** Read the facts too. */
  readonly facts: boolean
  readonly rowCounts: boolean
  /** The database passed `quick_check` at backup: if `integrity_check` finds something, that is asked again. */
  readonly quickPassed: boolean
  /** Two connections, each in a thread of its own: one checks the structure, and one all else. */
  readonly sideBySide: boolean
}

export interface PartRequest extends CheckRequest {
  readonly part: 'all' | 'structure' | 'contents'
}

export interface FileCheck {
  readonly validation: ValidationReport
  /** What `quick_check` finds now, although it had found nothing at backup. */
  readonly quickFindings: readonly string[]
  /** Undefined also if SQLite cannot read the file at all; then the findings say why. */
  readonly facts: DatabaseFacts | undefined
}

const unchecked: ValidationReport = {
  level: 'none',
  ok: true,
  findings: [],
  foreignKeyViolations: 0,
  durationMs: 0,
}

const workerFile = import.meta.url.endsWith('.ts') ? './check-worker.ts' : './check-worker.js'

export interface RunningCheck {
  /** Rejects with ABORTED at once, or with what kept the check from being made. */
  readonly result: Promise<FileCheck>
  /** Resolves once nothing of the check has the file open any more. */
  readonly ended: Promise<void>
}

/** Runs SQLite's checks in other threads. SQLite cannot be interrupted there: once aborted, a thread ends after the statement that it is in. */
export function checkFile(request: CheckRequest, signal: AbortSignal): RunningCheck {
  // Not even opened: what is restored without checks need not be readable by SQLite, if its bytes are right.
  if (request.level === 'none' && !request.facts) {
    const result = Promise.resolve({ validation: unchecked, quickFindings: [], facts: undefined })
    return { result, ended: Promise.resolve() }
  }
  signal.throwIfAborted()
  if (!request.sideBySide || request.level === 'none') return runPart({ ...request, part: 'all' }, signal)
  const structure = runPart({ ...request, part: 'structure' }, signal)
  const contents = runPart({ ...request, part: 'contents' }, signal)
  return {
    result: Promise.all([structure.result, contents.result]).then(([first, second]) => joined(first, second)),
    ended: Promise.all([structure.ended, contents.ended]).then(() => undefined),
  }
}

function runPart(request: PartRequest, signal: AbortSignal): RunningCheck {
  const worker = new Worker(new URL(workerFile, import.meta.url), { workerData: request })
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()))
  return { result: answerOf(worker, signal), ended }
}

function joined(structure: FileCheck, contents: FileCheck): FileCheck {
  const [one, other] = [structure.validation, contents.validation]
  return {
    validation: {
      level: one.level,
      ok: one.ok && other.ok,
      // What cannot be read at all comes first.
      findings: union(other.findings, one.findings).slice(0, findingsLimit),
      foreignKeyViolations: other.foreignKeyViolations,
      durationMs: Math.max(one.durationMs, other.durationMs),
    },
    quickFindings: union(structure.quickFindings, contents.quickFindings),
    facts: contents.facts,
  }
}

/** Both say it when SQLite cannot read the file at all. */
function union(some: readonly string[], others: readonly string[]): string[] {
  return [...new Set([...some, ...others])]
}

function answerOf(worker: Worker, signal: AbortSignal): Promise<FileCheck> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void) => {
      signal.removeEventListener('abort', abort)
      act()
    }
    const abort = () => {
      settle(() => reject(signal.reason))
      void worker.terminate()
    }
    signal.addEventListener('abort', abort, { once: true })
    worker.once('message', (result: FileCheck) => settle(() => resolve(result)))
    worker.once('error', (error) => settle(() => reject(error)))
    worker.once('exit', () =>
      settle(() => reject(new HoldfastError('INTERNAL', 'The checking thread ended without an answer.'))),
    )
  })
}
