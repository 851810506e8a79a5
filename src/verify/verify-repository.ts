import { HoldfastError, hasCode } from '../errors.ts'
import type { DatabaseRepository } from '../repository/database-repository.ts'
import type { Repository } from '../repository/repository.ts'
import { updateLedger } from '../repository/verification-ledger.ts'
import { DatabaseVerification } from './database-verification.ts'
import { VerifyBudget } from './verify-budget.ts'
import type { VerifyOptions, VerifyResult } from './verify-options.ts'

/**
 * Checks databases of a repository at a level and remembers the results, so that repeated runs over a subset reach
 * everything. What is wrong is a finding, not an exception. @throws NAME_NOT_FOUND, BACKUP_NOT_FOUND, USAGE, STORAGE_*
 */
export async function verifyRepository(repository: Repository, options: VerifyOptions = {}): Promise<VerifyResult> {
  const startedAt = Date.now()
  const { level = 'data', subset = 1, maxDurationMs, signal } = options
  if (!(subset > 0 && subset <= 1))
    throw new HoldfastError('USAGE', `A subset is more than 0 and at most 100 %, not ${subset * 100} %.`)
  const budget = new VerifyBudget(subset, maxDurationMs, startedAt)
  const databases = await chosenDatabases(repository, options)
  const parts: DatabaseVerification[] = []
  const warnings: string[] = []
  for (const database of databases) {
    signal?.throwIfAborted()
    const part = new DatabaseVerification(database, level, budget, options)
    parts.push(part)
    try {
      await part.run()
    } finally {
      // Also when it was interrupted: what was checked until then need not be again. So it must not depend on the signal.
      if (level !== 'metadata') warnings.push(...(await remember(database, part)))
    }
  }
  const sum = (count: (part: DatabaseVerification) => number) => parts.reduce((total, part) => total + count(part), 0)
  const findings = parts.flatMap((part) => part.findings())
  return {
    level,
    ok: findings.length === 0,
    findings,
    checked: {
      manifests: sum((part) => part.checked.manifests),
      segments: sum((part) => part.checked.segments),
      bytes: sum((part) => part.checked.bytes),
      restores: sum((part) => part.checked.restores),
    },
    remaining: sum((part) => part.remaining),
    restorable: parts.flatMap((part) => part.restorable()),
    warnings,
    durationMs: Date.now() - startedAt,
  }
}

/** A repository that cannot be written to can still be verified. Returns what is to be said of that. */
async function remember(database: DatabaseRepository, { results, existing }: DatabaseVerification): Promise<string[]> {
  try {
    await updateLedger(database, results, existing)
    return []
  } catch (error) {
    if (!hasCode(error, 'DISK_FULL', 'STORAGE_DENIED')) throw error
    return [`What was verified of ${database.name} could not be remembered for later runs. ${error.message}`]
  }
}

async function chosenDatabases(
  repository: Repository,
  { databases, backup, signal }: VerifyOptions,
): Promise<DatabaseRepository[]> {
  if (databases !== undefined && databases.length > 0)
    return Promise.all(databases.map((name) => repository.findDatabase(name, { signal })))
  const names = await repository.databaseNames({ signal })
  if (backup !== undefined && names.length > 1) {
    throw new HoldfastError('USAGE', 'To verify one backup, name its database as well.', {
      hint: `The repository holds ${names.join(', ')}.`,
    })
  }
  return names.map((name) => repository.database(name))
}
