import type { MirrorReport } from '../../maintenance/mirror/mirror-options.ts'
import type { Ending } from './ending.ts'

/** What is told of a run of mirroring. */
export function mirrorEnding(report: MirrorReport): Ending {
  const { findings, failures, healed, copied, deleted, waiting, missing, mirror, completeAt } = report
  const [first, ...more] = [
    ...failures.map(failureText),
    ...findings.map((finding) => `${finding.object}: ${finding.problem}${soundText(finding)}`),
  ]
  return {
    type: mirror,
    outcome: first === undefined ? undefined : 'failed',
    code: first === undefined ? undefined : (failures[0]?.code ?? 'INTEGRITY'),
    message: first === undefined || more.length === 0 ? first : `${first} And ${more.length} more.`,
    warnings: mirrorWarnings(report),
    figures: {
      copied: copied.objects,
      copiedBytes: copied.bytes,
      healed: healed.length,
      deleted: deleted.length,
      waiting: waiting.length,
      missing: missing.length,
      // In milliseconds since 1970: whether this run was about all of the repository or not, the mirror's record says it.
      ...(completeAt === undefined ? {} : { completeAt }),
    },
  }
}

export function failureText({
  database,
  message,
}: Pick<MirrorReport['failures'][number], 'database' | 'message'>): string {
  return `${database} was not mirrored, or only in part: ${message}`
}

export function soundText({ side, soundCopy }: MirrorReport['findings'][number]): string {
  if (soundCopy === undefined || soundCopy === side) return ''
  return soundCopy === 'mirror' ? ' The mirror has a sound copy.' : ' The repository has a sound copy.'
}

/** What does not keep the mirror from being complete, and must be known all the same. */
export function mirrorWarnings({ healed, missing, heldBack }: MirrorReport): string[] {
  const warnings: string[] = []
  if (healed.length > 0) warnings.push(`What was damaged on the mirror was replaced: ${someOf(healed)}.`)
  if (missing.length > 0)
    warnings.push(
      `What is gone from the repository, though nothing says that it was deleted there, stays on the mirror: ${someOf(missing)}.`,
    )
  for (const { database, reason } of heldBack)
    warnings.push(`Nothing of ${database} was deleted on the mirror. ${reason}`)
  return warnings
}

const mostNamed = 3

function someOf(keys: readonly string[]): string {
  const named = keys.slice(0, mostNamed).join(', ')
  return keys.length > mostNamed ? `${named} and ${keys.length - mostNamed} more` : named
}
