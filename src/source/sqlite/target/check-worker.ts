/** Thread body: what SQLite says of a file that nobody writes to. Started by check-file.ts. */
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { parentPort, workerData } from 'node:worker_threads'
import { checkStructure } from '../inspect/check.ts'
import { inspectDatabase } from '../inspect/inspect-database.ts'
import { firstRead } from '../reader/first-read.ts'
import { meansUnreadable } from '../sqlite-error.ts'
import type { FileCheck, PartRequest } from './check-file.ts'

function check(request: PartRequest): FileCheck {
  const url = pathToFileURL(request.path)
  // No locks, no sidecars: neither the temporary file nor a hot journal's database may be touched by a proof.
  url.searchParams.set('immutable', '1')
  const db = new DatabaseSync(url, { readOnly: true })
  try {
    firstRead(db)
    if (request.part === 'structure') return structureOf(db, request)
    // The very function that made the facts at backup: what is compared must be counted and hashed alike.
    const { facts, validation } = inspectDatabase(db, {
      validation: request.level,
      rowCounts: request.facts && request.rowCounts,
      structureElsewhere: request.part === 'contents',
      // The thread is terminated as a whole.
      throwIfCancelled: () => undefined,
    })
    return {
      validation,
      quickFindings: request.part === 'all' ? quickFindings(db, request, validation.findings) : [],
      facts: request.facts ? facts : undefined,
    }
  } catch (thrown) {
    if (!meansUnreadable(thrown)) throw thrown
    const findings = [thrown.message]
    return {
      validation: { level: request.level, ok: false, findings, foreignKeyViolations: 0, durationMs: 0 },
      quickFindings: request.quickPassed ? findings : [],
      facts: undefined,
    }
  } finally {
    db.close()
  }
}

function structureOf(db: DatabaseSync, request: PartRequest): FileCheck {
  const { level } = request
  const started = performance.now()
  const findings = level === 'none' ? [] : checkStructure(db, level)
  const durationMs = performance.now() - started
  return {
    validation: { level, ok: findings.length === 0, findings, foreignKeyViolations: 0, durationMs },
    quickFindings: quickFindings(db, request, findings),
    facts: undefined,
  }
}

function quickFindings(db: DatabaseSync, { level, quickPassed }: PartRequest, findings: readonly string[]): string[] {
  return level === 'integrity' && quickPassed && findings.length > 0 ? checkStructure(db, 'quick') : []
}

parentPort?.postMessage(check(workerData))
