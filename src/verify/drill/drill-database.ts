import { randomInt } from 'node:crypto'
import { HoldfastError, toHoldfastError } from '../../errors.ts'
import type { Catalog } from '../../repository/catalog.ts'
import type { DatabaseRepository } from '../../repository/database-repository.ts'
import type { Repository } from '../../repository/repository.ts'
import { ScratchFolder } from '../scratch-folder.ts'
import type { DrillOptions, DrillReport } from './drill-options.ts'
import { DrillRun } from './drill-run.ts'
import { rememberDrill } from './remember-drill.ts'

/**
 * A restore drill: restores a state to a scratch place, proves it, tries the user's assertions and command on it, measures the
 * recovery, and keeps the verdict in the repository. It needs no lease and disturbs nobody. What is wrong with the backup is in the
 * report, and so is what kept the drill from its end (no space, no way to the repository): neither is an exception.
 *
 * For engine processes only: it opens what it restored by SQLite.
 * @param name in the repository, or the path that the database was backed up from
 * @param now milliseconds since 1970
 * @throws NAME_NOT_FOUND, BACKUP_NOT_FOUND, NOT_RESTORABLE for a state that was never there, USAGE, ABORTED
 */
export async function drillDatabase(
  repository: Repository,
  name: string,
  options: DrillOptions = {},
  now: () => number = Date.now,
): Promise<DrillReport> {
  const { state = { by: 'latest' }, signal } = options
  const seed = state.by === 'random' ? (state.seed ?? randomInt(2 ** 32)) : undefined
  if (seed !== undefined && !(Number.isInteger(seed) && seed >= 0 && seed < 2 ** 32))
    throw new HoldfastError('USAGE', `A seed is a whole number from 0 to ${2 ** 32 - 1}, not ${seed}.`)
  const run = new DrillRun({ ...options, state, seed }, now)
  let found: { readonly database: DatabaseRepository; readonly catalog: Catalog } | undefined
  try {
    signal?.throwIfAborted()
    const database = await repository.findDatabase(name, { signal })
    const catalog = await database.catalog({ signal })
    found = { database, catalog }
    await run.resolve(database, catalog)
    await inScratch(run, options.scratchFolder)
  } catch (error) {
    const failure = toHoldfastError(error, name)
    if (!run.note(failure)) throw failure
  }
  const report = run.report(found?.database.name ?? name)
  const unwritten = found && (await rememberDrill(found.database, found.catalog, report, now()))
  return unwritten === undefined ? report : { ...report, warnings: [...report.warnings, unwritten] }
}

async function inScratch(run: DrillRun, parent: string | undefined): Promise<void> {
  await using scratch = await ScratchFolder.make(parent)
  await run.execute(scratch)
}
