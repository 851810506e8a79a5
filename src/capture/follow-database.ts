import { checkIdentity } from '../backup/identity.ts'
import { HoldfastError } from '../errors.ts'
import { databaseNameFrom } from '../repository/layout.ts'
import type { Repository } from '../repository/repository.ts'
import { type Capture, RunningCapture } from './capture.ts'
import { type FollowedSource, type FollowOptions, settingsOf } from './follow-options.ts'
import { openSession } from './session.ts'
import { beginningOf, startFollowing } from './start-following.ts'
import { defaultStateFolder, lockStateFolder, stateFolderId } from './state-folder.ts'
import { LeaseKeeper } from './upload/lease-keeper.ts'

/**
 * Follows a live database: every commit becomes a restore point. Runs in an engine process. Resolves once following has begun:
 * the first state is in the repository, or the history goes on from where it was left.
 * @throws LEASE_HELD, NAME_TAKEN, ABORTED, STORAGE_*, DISK_FULL, and as openFollower
 */
export async function followDatabase(
  source: FollowedSource,
  repository: Repository,
  options: FollowOptions = {},
): Promise<Capture> {
  const settings = settingsOf(options)
  const { signal } = options
  const database = repository.database(options.database ?? databaseNameFrom(source.defaultName))
  await checkIdentity(source, database, options)
  if (options.enableWal === true) await switchToWal(source, signal)
  await using stack = new AsyncDisposableStack()
  const folder = options.stateFolder ?? defaultStateFolder(repository.id, database.name)
  const folderLock = stack.use(await lockStateFolder(settings.files, folder))
  const lease = stack.use(
    await LeaseKeeper.acquire(database, {
      waitMs: options.leaseWaitMs,
      control: options.control?.path,
      home: await stateFolderId(settings.files, folder),
      signal,
    }),
  )
  let running: RunningCapture | undefined
  let failure: HoldfastError | undefined
  const onFailure = (error: HoldfastError) => {
    failure = error
    running?.fail(error)
  }
  const session = await openSession(source, database, lease, folder, options, settings, onFailure)
  stack.defer(() => session.uploader.stop())
  session.uploader.start()
  const following = await startFollowing(session, beginningOf(session), signal)
  await session.putRecord()
  if (failure !== undefined) throw failure
  stack.move()
  running = new RunningCapture(session, following, folderLock)
  const capture = running
  void lease.tellCover(() => capture.coveredAt)
  options.control?.add({ repositoryId: repository.id, database: database.name }, running)
  signal?.addEventListener('abort', () => running?.stopSoon(), { once: true })
  if (signal?.aborted) running.stopSoon()
  return running
}

async function switchToWal(source: FollowedSource, signal: AbortSignal | undefined): Promise<void> {
  if (source.enableWal === undefined)
    throw new HoldfastError('USAGE', 'This kind of database cannot be switched to a write-ahead log.', {
      object: source.location,
    })
  await source.enableWal({ signal })
}
