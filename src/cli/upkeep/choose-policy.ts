import type { RetentionConfig } from '../../agent/config/config.ts'
import type { HoldfastError } from '../../errors.ts'
import type { RetentionPolicy } from '../../history/retention.ts'
import type { Repository } from '../../repository/repository.ts'
import type { Session } from '../session.ts'
import { usageError } from '../usage-error.ts'
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

/**
 * The policy of a database, by its name in the repository.
 * @throws USAGE if there is a configuration of this repository that does not speak of it, NAME_TAKEN if that speaks of another with its
 * name, STORAGE_*
 */
export type PolicyChooser = (database: string) => Promise<ChosenPolicy>

/** @throws USAGE, CONFIG_INVALID, ACCESS_DENIED */
export async function policyChooser(
  session: Session,
  repository: Repository,
  flags: PolicyFlags & GraceFlag,
): Promise<PolicyChooser> {
  const { grace: graceMs } = flags
  const policy = policyOf(flags)
  if (policy !== undefined) return async () => ({ policy, graceMs, policyFrom: 'options' })
  const [{ configuredDatabases }, { requireOwnPolicy }] = await Promise.all([
    import('./configured-retention.ts'),
    import('./require-own-policy.ts'),
  ])
  const configured = await configuredDatabases(session, repository)
  if (configured === undefined) return async () => chosenFrom(undefined, flags)
  return async (name) => {
    const database = configured.get(name)
    if (database === undefined) throw notSpokenOf(session, name)
    await requireOwnPolicy(repository, database, session.signal)
    return chosenFrom(database.config.retention, flags)
  }
}

/** The default policy could cost backups of which somebody meant that another one keeps them. */
function notSpokenOf({ configFile }: Session, database: string): HoldfastError {
  return usageError(
    `The configuration ${configFile.path} does not speak of ${database}, so nothing says what to keep of it.`,
    `Give a policy by options such as --keep-daily, or give this database an entry in the configuration, with its "path:" and "name: ${database}".`,
    database,
  )
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
  if (database !== undefined) return chosenFrom(configured.get(database), flags)
  const all = configured.values().map((retention) => chosenFrom(retention, flags))
  const [first, another] = new Map(all.map((chosen) => [JSON.stringify(chosen.policy), chosen])).values()
  if (another === undefined) return first ?? chosenFrom(undefined, flags)
  throw usageError(
    `The databases of ${session.configFile.path} have policies of their own.`,
    `Name the one whose policy is meant (${[...configured.keys()].join(', ')}), or give a policy by options.`,
  )
}

function chosenFrom(retention: RetentionConfig | undefined, flags: GraceFlag): ChosenPolicy {
  if (retention === undefined) return { policy: undefined, graceMs: flags.grace, policyFrom: 'default' }
  const { graceMs, ...policy } = retention
  return { policy, graceMs: flags.grace ?? graceMs, policyFrom: 'configuration' }
}
