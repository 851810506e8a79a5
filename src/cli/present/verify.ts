import type { VerifyFinding, VerifyResult } from '../../verify/verify-options.ts'
import { formatBytes } from '../format/bytes.ts'
import { formatDuration } from '../format/duration.ts'
import { counted } from '../format/text.ts'

export function verifyText(result: VerifyResult): string {
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
      'Make a full backup of what is affected now (--type full), and bring damaged objects back from a copy if there is one.',
    )
  }
  if (remaining > 0) lines.push(`${counted(remaining, 'object')} left for a later run.`)
  return lines.join('\n')
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
