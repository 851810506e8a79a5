import type { RetentionDecision, RetentionPolicy } from '../../history/retention.ts'
import type { ExpireReport } from '../../maintenance/expire/expire-database.ts'
import type { UpkeepReport } from '../../maintenance/upkeep/upkeep-options.ts'
import type { ResultData } from '../json/schemas.ts'
import { isoTime } from '../json/to-json.ts'

type Upkeep = Pick<ResultData<'compact'>, 'merged' | 'deleted' | 'waiting' | 'freedBytes' | 'waitingBytes'>
type Expired = ResultData<'expire'>
/** Of one database, or of a simulation. */
export interface ExpireData extends Expired {
  readonly policy: NonNullable<Expired['policy']>
  readonly policyFrom: NonNullable<Expired['policyFrom']>
}

export function upkeepData({ merged, deleted, waiting, freedBytes, waitingBytes }: UpkeepReport): Upkeep {
  return {
    merged: merged.map((one) => ({ ...one })),
    deleted: deleted.map((one) => ({ ...one })),
    waiting: waiting.map((one) => ({ ...one, since: isoTime(one.since), until: isoTime(one.until) })),
    freedBytes,
    waitingBytes,
  }
}

export function expireData(report: ExpireReport, policyFrom: ExpireData['policyFrom']): ExpireData {
  return {
    database: report.database,
    dryRun: report.dryRun,
    policy: policyData(report.policy),
    policyFrom,
    keep: report.keep.map(({ backup, reasons }) => ({ backup, reasons: reasonsData(reasons) })),
    drop: report.drop.map((one) => ({ ...one })),
    ...upkeepData(report),
    failures: [],
    simulation: null,
  }
}

export function policyData(policy: RetentionPolicy): ExpireData['policy'] {
  const { last, hourly, daily, weekly, monthly, yearly, within, window, maxBackups, timeZone = 'UTC' } = policy
  return {
    last: last ?? null,
    hourly: hourly ?? null,
    daily: daily ?? null,
    weekly: weekly ?? null,
    monthly: monthly ?? null,
    yearly: yearly ?? null,
    within: within ?? null,
    window: window ?? null,
    maxBackups: maxBackups ?? null,
    timeZone,
  }
}

export function reasonsData(
  reasons: RetentionDecision['keep'][number]['reasons'],
): ExpireData['keep'][number]['reasons'] {
  return reasons.map((reason) => ({ rule: reason.rule, bucket: 'bucket' in reason ? reason.bucket : null }))
}
