import type { Repository } from '../repository/repository.ts'
import type { VerifyOptions, VerifyResult } from './verify-options.ts'
import { verifyRepository } from './verify-repository.ts'

export interface RollingOptions extends Omit<VerifyOptions, 'backup' | 'databases'> {
  readonly level: NonNullable<VerifyOptions['level']>
  /** Names in the repository, also of databases that have no backup yet: those are passed over. Default: all that are there. */
  readonly databases?: readonly string[] | undefined
}

/**
 * One run of a verification that is repeated for ever: {@link verifyRepository} over the databases that have backups. It needs no
 * lease, and remembers what it checked as it goes.
 * @throws USAGE, STORAGE_*, ABORTED
 */
export async function verifyRolling(
  repository: Repository,
  { databases, ...options }: RollingOptions,
): Promise<VerifyResult> {
  const names = await repository.databaseNames({ signal: options.signal })
  const chosen = databases === undefined ? names : names.filter((name) => databases.includes(name))
  // No names would mean all.
  if (chosen.length === 0) return nothingTo(options.level)
  return await verifyRepository(repository, { ...options, databases: chosen })
}

function nothingTo(level: VerifyResult['level']): VerifyResult {
  const checked = { manifests: 0, segments: 0, bytes: 0, restores: 0 }
  return {
    level,
    ok: true,
    findings: [],
    checked,
    remaining: 0,
    untried: 0,
    restorable: [],
    warnings: [],
    durationMs: 0,
  }
}
