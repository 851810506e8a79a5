import { nameTakenHint } from '../../../backup/identity.ts'
import type { Operation, OperationEnd, OperationKind } from '../../journal/operation.ts'
import { type Condition, conditionKey } from '../alert.ts'
import type { Observation } from '../engine/advance.ts'

/** What the agent does by itself. Whoever asks for a restore or a pin sees how it ends. */
const watched: readonly OperationKind[] = ['backup', 'follow', 'verify', 'drill', 'expire', 'compact', 'mirror']

/** Codes of a verification that found damage, rather than being kept from looking. */
const damageCodes = ['INTEGRITY', 'STORAGE_CORRUPT', 'PROOF_FAILED']

/** A failure that nothing follows for so long belongs to a schedule that is no more. */
const forgetFailureMs = 40 * 24 * 3_600_000

/**
 * What the end of an operation says. A failure that somebody at a terminal has seen is none to notify of; that of a drill is, since it says
 * something of the backups rather than of what was asked for.
 */
export function observeOperation(operation: Operation): readonly Observation[] {
  const { kind, outcome, trigger } = operation
  if (!watched.includes(kind) || outcome === 'interrupted' || operation.code === 'ABORTED') return []
  const { keys, condition } = conditionOf(operation)
  if (outcome === 'succeeded' || outcome === 'warning') return keys.map((key) => ({ what: 'absent', key }))
  if (trigger === 'manual' && !(kind === 'drill' && outcome === 'failed')) return []
  return [{ what: 'happened', condition, forMs: forgetFailureMs }]
}

/** The condition that a bad end makes, and the keys of those that a good end clears. */
function conditionOf(operation: Operation): { readonly keys: readonly string[]; readonly condition: Condition } {
  const { kind, database, outcome } = operation
  if (kind === 'drill') {
    const key = drillKey(database)
    const severity = outcome === 'failed' ? 'critical' : 'warning'
    const verdict = outcome === 'failed' ? 'failed' : 'was inconclusive'
    return {
      keys: [key],
      condition: conditionFor(operation, key, 'drill', severity, `The restore drill${of(database)} ${verdict}`),
    }
  }
  if (kind === 'verify' && outcome === 'failed' && damageCodes.includes(operation.code ?? '')) {
    const summary = `The verification${of(database)} found damage`
    return { keys: [], condition: conditionFor(operation, damageKey(database), 'verify', 'critical', summary) }
  }
  const parts = database === undefined ? [kind] : [kind, database]
  const keyFor = (detail: string) => conditionKey('failure', ...parts, detail)
  const name = operationName(operation)
  const verdict = outcome === 'inconclusive' ? 'was inconclusive' : 'failed'
  const severity = outcome === 'failed' && (kind === 'backup' || kind === 'follow') ? 'critical' : 'warning'
  const summary = `The ${name}${of(database)} ${verdict}`
  // A full backup does all that an incremental one would have done.
  const keys = operation.type === 'full' ? [keyFor('full'), keyFor('changes')] : [keyFor(detailOf(operation))]
  return { keys, condition: conditionFor(operation, keyFor(detailOf(operation)), 'failure', severity, summary) }
}

function detailOf({ kind, type }: Operation): string {
  if (kind === 'backup') return type === 'full' ? 'full' : 'changes'
  return type ?? ''
}

function operationName({ kind, type }: Operation): string {
  if (kind === 'backup' && type !== undefined) return `${type} backup`
  if (kind === 'mirror' && type !== undefined) return `mirror to ${type}`
  const names: Partial<Record<OperationKind, string>> = {
    follow: 'following',
    verify: 'verification',
    expire: 'expiry',
    compact: 'compaction',
  }
  return names[kind] ?? kind
}

function conditionFor(
  operation: Operation,
  key: string,
  kind: Condition['kind'],
  severity: Condition['severity'],
  what: string,
): Condition {
  const { database, repository, schedule, type, id } = operation
  const details: Record<string, string> = { operation: operation.kind, operationId: id, repository }
  if (type !== undefined) details['type'] = type
  if (schedule !== undefined) details['schedule'] = schedule
  if (operation.code !== undefined) details['code'] = operation.code
  if (operation.backupId !== undefined) details['backup'] = operation.backupId
  if (operation.warnings !== undefined) details['warnings'] = operation.warnings.join(' ')
  return {
    key,
    kind,
    severity,
    ...(database === undefined ? {} : { database }),
    summary: because(what, operation),
    ...(operation.code === 'NAME_TAKEN' && database !== undefined
      ? { hint: nameTakenHint.configuration(database) }
      : {}),
    details,
  }
}

function because(what: string, { message }: OperationEnd): string {
  return message === undefined ? `${what}.` : `${what}: ${message}`
}

function of(database: string | undefined): string {
  return database === undefined ? '' : ` of ${database}`
}

export function damageKey(database: string | undefined): string {
  return conditionKey('verify', database ?? '')
}

export function drillKey(database: string | undefined): string {
  return conditionKey('drill', database ?? '')
}
