import { BackupError, exitCodes, type HoldfastError, RestoreError, toHoldfastError } from '../errors.ts'
import { heldHint } from '../util/held-hint.ts'
import type { ErrorFacts } from './json/schemas.ts'

/** Longest chain of causes that is told; a cycle would have no end. */
const mostCauses = 10

export interface ErrorCircumstances {
  readonly interruptedBy?: NodeJS.Signals | undefined
  /** The command has `--wait`. */
  readonly canWait?: boolean | undefined
}

/** What a person or a program is told of a failure. */
export function errorFacts(thrown: unknown, { interruptedBy, canWait = false }: ErrorCircumstances = {}): ErrorFacts {
  const error = toHoldfastError(thrown)
  const facts: ErrorFacts = {
    code: error.code,
    message: error.message,
    object: error.object ?? null,
    hint:
      canWait && error.hint === heldHint
        ? `${heldHint} With --wait, you say how long to wait.`
        : (error.hint ?? hintFor(error)),
    exitCode: error.exitCode,
    causes: causesOf(error).map(messageOf),
    partialBackup: error instanceof BackupError ? partial(error) : null,
  }
  if (error.code !== 'ABORTED') return facts
  return {
    ...facts,
    message: `Interrupted${interruptedBy === undefined ? '' : ` by ${interruptedBy}`}.`,
    hint: 'Nothing half-done was left; the command can be run again.',
    exitCode: interruptedBy === 'SIGTERM' ? 143 : exitCodes.interrupted,
  }
}

/** For `--verbose`: where it happened and every cause, with its stack. */
export function errorDetails(thrown: unknown): string {
  const error = toHoldfastError(thrown)
  const phase =
    error instanceof BackupError ? error.partialBackup.phase : error instanceof RestoreError ? error.phase : undefined
  const parts = [`code: ${error.code}`]
  if (phase !== undefined) parts.push(`phase: ${phase}`)
  parts.push(error.stack ?? String(error))
  for (const cause of causesOf(error))
    parts.push(`caused by ${cause instanceof Error ? (cause.stack ?? String(cause)) : String(cause)}`)
  return parts.join('\n')
}

/** Where several databases failed: the status that says most. */
export function worstExitCode(codes: readonly number[]): number {
  const failures = codes.filter((code) => code !== exitCodes.ok && code !== exitCodes.warnings)
  if (failures.length > 0) return Math.max(...failures)
  return codes.includes(exitCodes.warnings) ? exitCodes.warnings : exitCodes.ok
}

function hintFor(error: HoldfastError): string | null {
  return error.code === 'INTERNAL'
    ? 'This should not happen. Run the command again with --verbose, and report what it says.'
    : null
}

function causesOf(error: Error): unknown[] {
  const causes: unknown[] = []
  let cause = error.cause
  while (cause !== undefined && causes.length < mostCauses) {
    causes.push(cause)
    cause = cause instanceof Error ? cause.cause : undefined
  }
  return causes
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}

function partial({ partialBackup }: BackupError): ErrorFacts['partialBackup'] {
  return { ...partialBackup, startedAt: new Date(partialBackup.startedAt).toISOString() }
}
