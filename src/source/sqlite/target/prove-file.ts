/** The proofs of a written file: from the disk, never from what we believe to have written. */

import { statSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { HoldfastError } from '../../../errors.ts'
import type { DatabaseFacts } from '../../facts.ts'
import type { ExpectedState, Proof, ProveOptions } from '../../target.ts'
import { checkFile, type FileCheck } from './check-file.ts'
import { hashPages } from './read-ahead.ts'
import { runCommand } from './run-command.ts'
import { removeSidecars, sidecarPaths } from './sidecars.ts'

export interface WrittenFile {
  readonly file: FileHandle
  readonly path: string
  /** As the user knows it; for messages. */
  readonly target: string
  readonly pageSize: number
  readonly pageCount: number
  /** Lends the user's command a file whose content is proved, and which it may open as it likes. */
  lend<T>(use: (path: string, file: FileHandle) => Promise<T>): Promise<T>
}

const defaultCommandTimeoutMs = 10 * 60 * 1000

export async function proveFile(
  written: WrittenFile,
  expected: ExpectedState,
  options: ProveOptions = {},
): Promise<Proof> {
  const startedAt = performance.now()
  const stop = new AbortController()
  const signal = options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal])
  const checking = checkFile(
    {
      path: written.path,
      level: expected.level,
      facts: expected.facts !== undefined,
      rowCounts: expected.rowCounts,
    },
    signal,
  )
  try {
    // Both at once; the first that fails is the reason.
    const [hashed, check] = await Promise.all([
      proveState(written, written.file, expected.state, { ...options, signal }),
      checking,
    ])
    const compared = compareChecks(written.target, check, expected)
    const command = await proveByCommand(written, expected, signal)
    return {
      state: hashed.state,
      pagesHashed: hashed.pages,
      validation: check.validation,
      ...compared,
      command,
      durationMs: Math.round(performance.now() - startedAt),
    }
  } finally {
    stop.abort(new HoldfastError('ABORTED', 'Another proof failed first.'))
    await Promise.allSettled([checking])
  }
}

async function proveState(
  { target, pageSize, pageCount }: WrittenFile,
  file: FileHandle,
  expected: bigint,
  options: ProveOptions,
): Promise<{ state: bigint; pages: number }> {
  const total = pageSize * pageCount
  const { size } = await file.stat()
  if (size !== total) throw proofFailed(target, 'size', `${total} bytes`, `${size} bytes`)
  let state = 0n
  let pages = 0
  for await (const { hashes } of hashPages(file, pageSize, pageCount, options.signal)) {
    for (const hash of hashes) state += hash
    state = BigInt.asUintN(64, state)
    pages += hashes.length
    options.onProgress?.(pages * pageSize, total)
  }
  if (state !== expected) throw proofFailed(target, 'state checksum', hex(expected), hex(state))
  return { state, pages }
}

function compareChecks(
  target: string,
  check: FileCheck,
  expected: ExpectedState,
): Pick<Proof, 'factsMatch' | 'tablesCompared'> {
  const { findings, foreignKeyViolations } = check.validation
  if (expected.alreadyDamaged !== true && findings.length > 0) {
    const name = check.validation.level === 'quick' ? 'quick_check' : 'integrity_check'
    throw proofFailed(target, name, 'ok', findings.join('\n'))
  }
  const allowed = expected.expectedForeignKeyViolations
  if (allowed !== undefined && foreignKeyViolations > allowed) {
    throw proofFailed(target, 'foreign_key_check', `${allowed} violations`, `${foreignKeyViolations}`)
  }
  if (expected.facts === undefined || check.facts === undefined) return { factsMatch: undefined, tablesCompared: 0 }
  return { factsMatch: true, tablesCompared: compareFacts(target, expected.facts, check.facts) }
}

function compareFacts(target: string, expected: DatabaseFacts, got: DatabaseFacts): number {
  for (const key of ['pageSize', 'pageCount', 'encoding', 'userVersion', 'applicationId', 'schemaDigest'] as const) {
    // An empty database has no page size of its own.
    if (key === 'pageSize' && expected.pageCount === 0) continue
    if (expected[key] !== got[key]) throw proofFailed(target, key, `${expected[key]}`, `${got[key]}`)
  }
  const rowsOf = new Map(got.tables.map(({ name, rows }) => [name, rows]))
  let compared = 0
  for (const { name, rows } of expected.tables) {
    const found = rowsOf.get(name)
    if (found === undefined) throw proofFailed(target, `table ${name}`, 'present', 'missing')
    if (rows === null || found === null) continue
    if (rows !== found) throw proofFailed(target, `row count of ${name}`, `${rows}`, `${found}`)
    compared += 1
  }
  return compared
}

async function proveByCommand(
  written: WrittenFile,
  expected: ExpectedState,
  signal: AbortSignal,
): Promise<Proof['command']> {
  const { command, commandTimeoutMs = defaultCommandTimeoutMs, state } = expected
  if (command === undefined) return undefined
  return written.lend(async (path, file) => {
    try {
      const result = await runCommand(command, path, { timeoutMs: commandTimeoutMs, signal })
      const changes = sidecarPaths(path).filter(
        (sidecar) => !sidecar.endsWith('-shm') && (statSync(sidecar, { throwIfNoEntry: false })?.size ?? 0) > 0,
      )
      if (changes.length > 0) {
        throw proofFailed(
          written.target,
          'check command',
          'a file that it leaves unchanged',
          'uncommitted changes in it',
        )
      }
      await proveState(written, file, state, { signal }).catch((error: unknown) => {
        if (!(error instanceof HoldfastError) || error.code !== 'PROOF_FAILED') throw error
        throw proofFailed(written.target, 'check command', 'a file that it leaves unchanged', error.message)
      })
      return result
    } finally {
      removeSidecars(path)
    }
  })
}

function proofFailed(target: string, proof: string, expected: string, got: string): HoldfastError {
  return new HoldfastError(
    'PROOF_FAILED',
    `The restored file failed its proof (${proof}): expected ${expected}, got ${got}.`,
    {
      object: target,
      hint: 'The target is as it was. Run `holdfast verify`, and restore another state if the backup is damaged.',
    },
  )
}

function hex(state: bigint): string {
  return state.toString(16).padStart(16, '0')
}
