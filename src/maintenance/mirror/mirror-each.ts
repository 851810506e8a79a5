import { type ErrorCode, HoldfastError, hasCode } from '../../errors.ts'
import { readMirror } from '../../repository/mirror-record.ts'
import { throwIfAborted } from '../../util/abort.ts'
import { type Listings, listAgain } from './listings.ts'
import { mirrorDatabase } from './mirror-database.ts'
import type { DatabaseRun } from './run-context.ts'

/** Codes of what is never the matter with one database alone. */
const commonTroubles: readonly ErrorCode[] = [
  'ABORTED',
  'ENGINE_DIED',
  'LEASE_HELD',
  'LEASE_LOST',
  'MIRROR',
  'REPOSITORY_NOT_FOUND',
]

/**
 * Mirrors one database after the other. An error of one is kept with it, and the others have their turn all the same; only the error of a
 * single one is thrown, and one of the repository or the mirror as a whole.
 * @throws LEASE_LOST, REPOSITORY_NOT_FOUND, MIRROR, INTEGRITY, DISK_FULL, STORAGE_*, ABORTED
 */
export async function mirrorEach(runs: readonly DatabaseRun[], listingsOf: (name: string) => Listings): Promise<void> {
  const isAlone = runs.length === 1
  for (const run of runs) await attempt(run, listingsOf(run.source.name), isAlone)
  // What another database needed no more may have made room.
  if (!runs.some(({ deleted }) => deleted.length > 0)) return
  for (const run of runs.filter(({ failure }) => failure?.code === 'DISK_FULL')) {
    run.beginAgain()
    await attempt(run, await listAgain(run), isAlone)
  }
}

async function attempt(run: DatabaseRun, listings: Listings, isAlone: boolean): Promise<void> {
  run.failure = undefined
  try {
    await mirrorDatabase(run, listings)
  } catch (error) {
    if (!(error instanceof HoldfastError) || hasCode(error, ...commonTroubles) || isAlone) throw error
    await requireBothSides(run, error)
    run.failure = error
  }
}

/** Where all is away, nobody is served by trying each database in turn. */
async function requireBothSides({ settings, sides, options }: DatabaseRun, cause: HoldfastError): Promise<void> {
  throwIfAborted(options.signal)
  await settings.assertSource()
  // A dry run looks at places where there is no mirror yet.
  if (settings.dryRun || (await readMirror(sides.mirror.storage, options)) !== undefined) return
  throw new HoldfastError('STORAGE_TRANSIENT', `The mirror at ${sides.mirror.storage.url} went away meanwhile.`, {
    object: sides.mirror.storage.url,
    cause,
    hint: 'If it is on a disk or network drive of its own, mount that again; the next run goes on where this one ended.',
  })
}
