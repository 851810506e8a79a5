import { HoldfastError, toHoldfastError } from '../errors.ts'
import type { DatabaseRepository } from '../repository/database-repository.ts'
import type { Repository } from '../repository/repository.ts'
import { type Clocks, systemClocks } from './clocks.ts'
import { DatabaseVerification } from './database-verification.ts'
import { Memory } from './remember.ts'
import { checkRestores, checkSegments, type RollingRun } from './rolling-check.ts'
import type { VerifyOptions, VerifyResult } from './verify-options.ts'

/**
 * Checks databases of a repository at a level and remembers the results, so that repeated runs over a part of it reach
 * everything. What is wrong is a finding, not an exception. Several at once do not harm one another.
 * @throws NAME_NOT_FOUND, BACKUP_NOT_FOUND, USAGE, STORAGE_*, ABORTED
 */
export async function verifyRepository(
  repository: Repository,
  options: VerifyOptions = {},
  clocks: Clocks = systemClocks,
): Promise<VerifyResult> {
  const { level = 'data', subset = 1 } = options
  if (!(subset > 0 && subset <= 1))
    throw new HoldfastError('USAGE', `A subset is more than 0 and at most 100 %, not ${subset * 100} %.`)
  try {
    return await verify(repository, { ...options, level }, clocks)
  } catch (error) {
    throw toHoldfastError(error, repository.url)
  }
}

async function verify(
  repository: Repository,
  options: VerifyOptions & { readonly level: NonNullable<VerifyOptions['level']> },
  clocks: Clocks,
): Promise<VerifyResult> {
  const startedAt = clocks.monotonic()
  const { level, maxDurationMs = Number.POSITIVE_INFINITY, signal } = options
  const databases = await chosenDatabases(repository, options)
  const parts = databases.map((database) => new DatabaseVerification(database, options, clocks.now))
  for (const part of parts) {
    signal?.throwIfAborted()
    await part.checkMetadata()
  }
  await using memory = new Memory(clocks)
  const run = (share: number): RollingRun => {
    return { parts, options, memory, clocks, deadline: startedAt + maxDurationMs * share }
  }
  let remaining = 0
  const unnamed: string[] = []
  // Trial restores read much of the same data again: they get half of the time, or they would never have their turn.
  if (level !== 'metadata') remaining += await checkSegments(run(level === 'restore' ? 0.5 : 1))
  if (level === 'restore') remaining += await checkRestores(run(1))
  for (const part of parts) {
    await part.forgetDeleted()
    unnamed.push(...(await part.unnamed()))
    // Also of a database of which nothing was checked now: what has vanished is forgotten.
    if (level !== 'metadata') await memory.note(part)
  }
  await memory.save()
  const sum = (count: (part: DatabaseVerification) => number) => parts.reduce((total, part) => total + count(part), 0)
  const untried = sum((part) => part.untried)
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
    remaining: remaining + untried,
    untried,
    restorable: parts.flatMap((part) => part.restorable()),
    warnings: [...unnamed, ...parts.flatMap(restoreWarnings), ...memory.warnings],
    durationMs: Math.round(clocks.monotonic() - startedAt),
  }
}

/** Each once, however many trial restores said it. */
function restoreWarnings({ database, warnings }: DatabaseVerification): string[] {
  return [...warnings].map(([warning, [first, ...others]]) => {
    const more = others.length === 0 ? '' : ` and ${others.length} more`
    return `${database.name}, trial restore of ${first}${more}: ${warning}`
  })
}

async function chosenDatabases(
  repository: Repository,
  { databases, backup, signal }: VerifyOptions,
): Promise<DatabaseRepository[]> {
  if (databases !== undefined && databases.length > 0) {
    const found = await Promise.all(databases.map((name) => repository.findDatabase(name, { signal })))
    return [...new Map(found.map((database) => [database.name, database])).values()]
  }
  const names = await repository.databaseNames({ signal })
  if (backup !== undefined && names.length > 1) {
    throw new HoldfastError('USAGE', 'To verify one backup, name its database as well.', {
      hint: `The repository holds ${names.join(', ')}.`,
    })
  }
  return names.map((name) => repository.database(name))
}
