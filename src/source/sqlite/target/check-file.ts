import { Worker } from 'node:worker_threads'
import { HoldfastError } from '../../../errors.ts'
import type { DatabaseFacts, ValidationReport } from '../../facts.ts'
import type { ValidationLevel } from '../../source.ts'

export interface CheckRequest {
  readonly path: string
  readonly level: ValidationLevel
  /** Read the facts too. */
  readonly facts: boolean
  readonly rowCounts: boolean
}

export interface FileCheck {
  readonly validation: ValidationReport
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

/**
 * Runs SQLite's checks in another thread. SQLite cannot be interrupted there: once aborted, the thread ends after the
 * statement that it is in, and nobody waits for it.
 * @throws ABORTED, or what made the file unreadable
 */
export function checkFile(request: CheckRequest, signal?: AbortSignal | undefined): Promise<FileCheck> {
  // Not even opened: what is restored without checks need not be readable by SQLite, if its bytes are right.
  if (request.level === 'none' && !request.facts) return Promise.resolve({ validation: unchecked, facts: undefined })
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted()
    const worker = new Worker(new URL(workerFile, import.meta.url), { workerData: request })
    const settle = (act: () => void) => {
      signal?.removeEventListener('abort', abort)
      act()
    }
    const abort = () => {
      settle(() => reject(signal?.reason))
      void worker.terminate()
    }
    signal?.addEventListener('abort', abort, { once: true })
    worker.once('message', (result: FileCheck) => settle(() => resolve(result)))
    worker.once('error', (error) => settle(() => reject(error)))
    worker.once('exit', () =>
      settle(() => reject(new HoldfastError('INTERNAL', 'The checking thread ended without an answer.'))),
    )
  })
}
