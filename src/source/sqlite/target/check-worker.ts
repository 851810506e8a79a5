/** Thread body: what SQLite says of a file that nobody writes to. Started by check-file.ts. */
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { parentPort, workerData } from 'node:worker_threads'
import { readFacts, runChecks } from '../inspect.ts'
import type { CheckRequest, FileCheck } from './check-file.ts'

function check(request: CheckRequest): FileCheck {
  const url = pathToFileURL(request.path)
  // No locks, no sidecars: neither the temporary file nor a hot journal's database may be touched by a proof.
  url.searchParams.set('immutable', '1')
  const db = new DatabaseSync(url, { readOnly: true })
  try {
    const validation = runChecks(db, request.level)
    const facts = request.facts ? readFacts(db, { rowCounts: request.rowCounts }) : undefined
    return { validation, facts }
  } finally {
    db.close()
  }
}

parentPort?.postMessage(check(workerData))
