import { hostname } from 'node:os'
import { toHoldfastError } from '../../errors.ts'
import type { Catalog } from '../../repository/catalog.ts'
import type { DatabaseRepository } from '../../repository/database-repository.ts'
import { addDrill, type DrillRecord } from '../../repository/drill-record.ts'
import { updateLedger, type VerificationEntry } from '../../repository/verification-ledger.ts'
import type { DrillReport } from './drill-options.ts'

/** Reasons are kept to be read, not to be complete: a command can say a lot. */
const mostReasons = 10
const longestReason = 500

/**
 * Writes the verdict down in the repository, beside the backup; what restored or did not is also the last trial restore of that backup. It
 * must not depend on a signal. Returns why it could not, if it could not: a drill is one all the same.
 * @param now milliseconds since 1970
 */
export async function rememberDrill(
  database: DatabaseRepository,
  catalog: Catalog,
  report: DrillReport,
  now: number,
): Promise<string | undefined> {
  const backups = new Set(catalog.backups.map(({ id }) => id))
  try {
    await addDrill(database, recordOf(report), backups, { now })
    const tried = trialRestore(report)
    if (tried !== undefined) {
      const segments = new Set(catalog.segments.map(({ key }) => key))
      const existing = { segments, backups, listedAt: isoTime(report.startedAt) }
      await updateLedger(database, { restores: tried }, existing, { now })
    }
    return undefined
  } catch (error) {
    const { code, message } = toHoldfastError(error)
    if (code === 'INTERNAL') throw error
    return `The drill could not be written down in the repository. ${message}`
  }
}

function recordOf({ verdict, reasons, state, recovery, startedAt }: DrillReport): DrillRecord {
  return {
    drilledAt: isoTime(startedAt),
    verdict,
    reasons: reasons.slice(0, mostReasons).map((reason) => reason.slice(0, longestReason)),
    lsn: state?.lsn ?? null,
    stateTime: state?.time === undefined ? null : isoTime(state.time),
    backup: state?.backup?.id ?? null,
    recoveryMs: recovery?.durationMs ?? null,
    host: hostname(),
  }
}

function trialRestore({ state, checks, startedAt }: DrillReport): Record<string, VerificationEntry> | undefined {
  const [restored] = checks
  if (state?.backup === undefined || restored?.kind !== 'restore' || restored.outcome === 'inconclusive')
    return undefined
  const ok = restored.outcome === 'passed'
  return { [state.backup.id]: { checkedAt: isoTime(startedAt), ok, problem: ok ? '' : restored.detail } }
}

function isoTime(time: number): string {
  return new Date(time).toISOString()
}
