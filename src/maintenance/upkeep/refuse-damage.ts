/** Nothing is deleted while anything is unreadable, missing or not in sight. */
import { HoldfastError, hasCode } from '../../errors.ts'
import { type Lsn, toLsn } from '../../history/lsn.ts'
import { planRestore } from '../../history/plan.ts'
import type { SegmentInfo } from '../../history/segment-info.ts'
import { formatState } from '../../history/state-checksum.ts'
import { UnreachableError } from '../../history/unreachable-error.ts'
import type { Catalog } from '../../repository/catalog.ts'
import { openChain } from '../../repository/chain.ts'
import type { DatabaseRepository } from '../../repository/database-repository.ts'
import type { BackupManifest } from '../../repository/manifest.ts'
import type { VerificationLedger } from '../../repository/verification-ledger.ts'
import type { OperationOptions } from '../../storage/storage.ts'

/** @throws INTEGRITY */
export function refuseProblems({ problems }: Catalog): void {
  const [problem] = problems
  if (problem !== undefined) throw refusal(problem.key, problem.problem)
}

/** @throws INTEGRITY if verification found damage in a segment that is there */
export function refuseKnownDamage(segments: readonly SegmentInfo[], ledger: VerificationLedger): void {
  for (const { key } of segments) {
    const found = ledger.segments[key]
    if (found?.ok === false) throw refusal(key, found.problem)
  }
}

/** So many indexes are read at once. */
const readsAtOnce = 8

/** Every segment's index is read. @throws INTEGRITY, FORMAT_TOO_NEW, STORAGE_*, ABORTED */
export async function refuseUnreadable(
  database: DatabaseRepository,
  segments: readonly SegmentInfo[],
  { signal, onRead }: OperationOptions & { readonly onRead: (segments: number) => void },
): Promise<void> {
  for (let start = 0; start < segments.length; start += readsAtOnce) {
    const some = segments.slice(start, start + readsAtOnce)
    await Promise.all(some.map((segment) => readable(segment.key, () => database.openSegment(segment, { signal }))))
    onRead(start + some.length)
  }
}

/** What is to stay leads to every kept backup, and to the state that it promises. @throws INTEGRITY, STORAGE_*, ABORTED */
export async function refuseLoss(
  database: DatabaseRepository,
  remaining: readonly SegmentInfo[],
  kept: readonly BackupManifest[],
  options: OperationOptions,
): Promise<void> {
  for (const [lsn, backups] of Map.groupBy(kept, (backup) => toLsn(backup.lsn))) {
    const chain = await readable(database.name, () => openChain(database, planTo(remaining, lsn), options))
    const found = formatState(chain.state)
    // Two backups can have one LSN after a repository was copied back; one of them then promises what is not there.
    if (backups.some(({ checksum }) => checksum === found)) continue
    const [first] = backups
    throw refusal(
      chain.links.at(-1)?.segment.key ?? database.name,
      `Backup ${first?.id} promises the state ${first?.checksum}, but its segments lead to ${found}.`,
    )
  }
}

function planTo(segments: readonly SegmentInfo[], lsn: Lsn) {
  try {
    return planRestore(segments, lsn)
  } catch (error) {
    throw error instanceof UnreachableError ? unreachable(error) : error
  }
}

/** @throws INTEGRITY */
export function unreachable(cause: UnreachableError): HoldfastError {
  return new HoldfastError(
    'INTEGRITY',
    `Nothing is deleted while a state that is to be kept cannot be restored. ${cause.message}`,
    { cause, hint: 'Run "holdfast verify" to see what is missing.' },
  )
}

async function readable<T>(object: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    if (!hasCode(error, 'INTEGRITY', 'FORMAT_TOO_NEW', 'STORAGE_CORRUPT')) throw error
    throw refusal(error.object ?? object, error.message, error)
  }
}

function refusal(key: string, problem: string, cause?: HoldfastError): HoldfastError {
  const code = cause?.code ?? 'INTEGRITY'
  const message = `Nothing is deleted while an object cannot be read or is damaged: ${key}. ${problem}`
  return new HoldfastError(code, message, {
    object: key,
    cause,
    hint: 'Run "holdfast verify" to see what is affected, and mend or remove that object first.',
  })
}
