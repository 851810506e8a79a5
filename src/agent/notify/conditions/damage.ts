import type { VerificationEntry } from '../../../repository/verification-ledger.ts'
import type { Observation } from '../engine/advance.ts'
import { damageKey } from './operation.ts'

/** What is known of the last check of each object: by segment key, and by backup id. */
export interface CheckedObjects {
  readonly segments: Readonly<Record<string, Pick<VerificationEntry, 'ok' | 'problem'>>>
  readonly restores: Readonly<Record<string, Pick<VerificationEntry, 'ok' | 'problem'>>>
}

/** Damage stays until a later check finds the same objects sound, or they are gone: a good check of others proves nothing of them. */
export function observeDamage(database: string, { segments, restores }: CheckedObjects): readonly Observation[] {
  const key = damageKey(database)
  const damaged = [...Object.entries(segments), ...Object.entries(restores)].filter(([, { ok }]) => !ok)
  const [first] = damaged
  if (first === undefined) return [{ what: 'absent', key }]
  const [object, { problem }] = first
  const count = damaged.length === 1 ? 'an object' : `${damaged.length} objects`
  const condition = {
    key,
    kind: 'verify',
    severity: 'critical',
    database,
    summary: `A verification found damage in ${count} of ${database}: ${object}: ${problem}`,
    hint: `Run "holdfast verify ${database}" to see which backups are affected, and make a full backup.`,
    details: { damaged: damaged.length, object },
  } as const
  return [{ what: 'present', condition }]
}
