import type { RetentionPolicy } from '../../history/retention.ts'
import type { Session } from '../session.ts'
import { usageError } from '../usage-error.ts'
import type { ConfiguredRetention } from './configured-retention.ts'
import { type PolicyFlags, policyOf } from './policy-flags.ts'

export interface ChosenPolicy {
  /** Undefined: the default one. */
  readonly policy: RetentionPolicy | undefined
  readonly graceMs: number | undefined
  readonly policyFrom: 'options' | 'configuration' | 'default'
}

interface GraceFlag {
  readonly grace?: number
}

/** The policy of each database, by its name. @throws USAGE, CONFIG_INVALID, ACCESS_DENIED */
export async function policyChooser(
  session: Session,
  flags: PolicyFlags & GraceFlag,
): Promise<(database: string) => ChosenPolicy> {
  const { grace: graceMs } = flags
  const policy = policyOf(flags)
  if (policy !== undefined) return () => ({ policy, graceMs, policyFrom: 'options' })
  const { configuredRetention } = await import('./configured-retention.ts')
  const configured = await configuredRetention(session)
  return (database) => chosenFrom(configured, database, flags)
}

/**
 * The policy of a simulation, which is about backups of no repository: that of a database of the configuration, or the one that all of them
 * have in common. @throws USAGE, CONFIG_INVALID, ACCESS_DENIED
 */
export async function policyToSimulate(
  session: Session,
  database: string | undefined,
  flags: PolicyFlags & GraceFlag,
): Promise<ChosenPolicy> {
  const policy = policyOf(flags)
  if (policy !== undefined) return { policy, graceMs: flags.grace, policyFrom: 'options' }
  const { retentionAnywhere } = await import('./configured-retention.ts')
  const configured = await retentionAnywhere(session)
  if (database !== undefined) return chosenFrom(configured, database, flags)
  const all = configured.keys().map((name) => chosenFrom(configured, name, flags))
  const [first, another] = new Map(all.map((chosen) => [JSON.stringify(chosen.policy), chosen])).values()
  if (another === undefined) return first ?? chosenFrom(configured, '', flags)
  throw usageError(
    `The databases of ${session.configFile.path} have policies of their own.`,
    `Name the one whose policy is meant (${[...configured.keys()].join(', ')}), or give a policy by options.`,
  )
}

function chosenFrom(configured: ConfiguredRetention, database: string, flags: GraceFlag): ChosenPolicy {
  const found = configured.get(database)
  if (found === undefined) return { policy: undefined, graceMs: flags.grace, policyFrom: 'default' }
  const { graceMs, ...policy } = found
  return { policy, graceMs: flags.grace ?? graceMs, policyFrom: 'configuration' }
}
