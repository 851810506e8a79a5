import type { VerifyFinding, VerifyResult } from '../../verify/verify-options.ts'
import { formatBytes } from '../format/bytes.ts'
import { formatDuration } from '../format/duration.ts'
import { counted } from '../format/text.ts'

/** @param needed commands for the backups that should be made now */
export function verifyText(result: VerifyResult, needed: readonly string[] = []): string {
  const { ok, findings, restorable, remaining, durationMs } = result
  const verdict = ok ? 'No damage found.' : `DAMAGE: ${counted(findings.length, 'finding')}.`
  const lines = [
    ...findings.map(findingText),
    `${verdict} Checked ${checkedText(result)} in ${formatDuration(durationMs)}.`,
  ]
  const lost = new Set(findings.flatMap(({ affectedBackups }) => affectedBackups))
  if (lost.size > 0) lines.push(`${counted(lost.size, 'backup')} cannot be restored: ${[...lost].join(', ')}.`)
  if (!ok) {
    lines.push(
      restorable.length === 0 ? 'No backup is known to be restorable.' : `Restorable: ${restorable.join(', ')}.`,
    )
    lines.push(
      ...needed.map(
        (command) => `The newest good backup of a database is lost with that. Make a full one now: ${command}`,
      ),
    )
    lines.push(...adviceOnLost(lost.size))
  }
  if (remaining > 0) lines.push(`${counted(remaining, 'object')} left for a later run.`)
  return lines.join('\n')
}

function adviceOnLost(lost: number): string[] {
  if (lost === 0) return ['Bring damaged objects back from a copy of the repository, if there is one.']
  return [
    'Bring damaged objects back from a copy of the repository, if there is one. Otherwise delete what cannot be restored, the newest first: holdfast delete DATABASE BACKUP',
  ]
}

function findingText({ database, object, problem, affectedBackups }: VerifyFinding): string {
  const affected = affectedBackups.length === 0 ? 'no backup needs it' : `affects ${affectedBackups.join(', ')}`
  return `${database === undefined ? '' : `${database}: `}${problem}\n  object: ${object}\n  ${affected}`
}

function checkedText({ checked, level }: VerifyResult): string {
  const parts = [counted(checked.manifests, 'manifest'), counted(checked.segments, 'segment')]
  if (level !== 'metadata') parts.push(formatBytes(checked.bytes))
  if (level === 'restore') parts.push(counted(checked.restores, 'trial restore'))
  return parts.join(', ')
}
