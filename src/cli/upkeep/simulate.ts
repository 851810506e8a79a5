import { simulateRetention } from '../../history/simulate-retention.ts'
import { retentionPolicy } from '../../maintenance/expire/retention-policy.ts'
import { isoTime } from '../json/to-json.ts'
import { simulationText } from '../present/expire.ts'
import type { Outcome, Session } from '../session.ts'
import { policyToSimulate } from './choose-policy.ts'
import type { PolicyFlags } from './policy-flags.ts'
import { policyData, reasonsData } from './upkeep-data.ts'

export interface SimulationFlags extends PolicyFlags {
  readonly years: number
  readonly every: 'hourly' | 'daily' | 'weekly'
}

/** What a policy leaves of regular backups. @param name whose policy; default: the one by options, of the configuration, or the default */
export async function simulate(
  session: Session,
  name: string | undefined,
  flags: SimulationFlags,
): Promise<Outcome<'expire'>> {
  const chosen = await policyToSimulate(session, name, flags)
  const policy = retentionPolicy(chosen.policy)
  const { years, every } = flags
  const { made, keep } = simulateRetention(policy, { now: session.now(), years, every })
  const data = {
    database: null,
    dryRun: true,
    policy: policyData(policy),
    policyFrom: chosen.policyFrom,
    keep: [],
    drop: [],
    merged: [],
    deleted: [],
    waiting: [],
    freedBytes: 0,
    waitingBytes: 0,
    failures: [],
    simulation: {
      made,
      every,
      years,
      keep: keep.map(({ backup, reasons }) => ({ time: isoTime(backup.time), reasons: reasonsData(reasons) })),
    },
  }
  return { data, text: simulationText(data) }
}
