/** The program of a worker: follows databases, which only this process opens. Forked by the agent. */
import type { Capture } from '../../capture/capture.ts'
import { type CaptureControl, listenForRequests } from '../../capture/control/capture-control.ts'
import { followDatabase } from '../../capture/follow-database.ts'
import type { Peer } from '../../engine/peer.ts'
import { throttleProgress } from '../../engine/progress-event.ts'
import { type EngineContext, serve } from '../../engine/serve.ts'
import { openLinkedStorage, type StorageAddress } from '../../engine/storage-link.ts'
import { HoldfastError } from '../../errors.ts'
import { compactDatabase } from '../../maintenance/compact/compact-database.ts'
import { expireDatabase } from '../../maintenance/expire/expire-database.ts'
import type { UpkeepOptions } from '../../maintenance/upkeep/upkeep-options.ts'
import type { DatabaseRepository } from '../../repository/database-repository.ts'
import { sqlite } from '../../source/sqlite/sqlite-source.ts'
import { abortable } from '../../util/abort.ts'
import { SharedRepositories } from './shared-repositories.ts'
import { expireSummary, type UpkeepSummary, upkeepSummary } from './upkeep-summary.ts'
import { type UpkeepRequest, workerApi } from './worker-api.ts'

/** By name, from when following is asked for. Whoever asks for something before it has begun waits for that. */
const captures = new Map<string, { readonly begun: Promise<Capture>; running: Capture | undefined }>()
/** Every call comes from the same host. */
let repositories: SharedRepositories<StorageAddress> | undefined
let control: Promise<CaptureControl | undefined> | undefined

serve(workerApi, {
  follow: async ({ path, database, storage: address, request }, { signal, emit, host }) => {
    if (captures.has(database))
      throw new HoldfastError('USAGE', `${database} is followed already.`, { object: database })
    const { promise: begun, resolve, reject } = Promise.withResolvers<Capture>()
    const entry = { begun, running: undefined as Capture | undefined }
    captures.set(database, entry)
    // That it did not begin is told by the answer too.
    begun.catch(() => {})
    try {
      control ??= listenForRequests((message) => emit({ kind: 'warning', message }))
      await using shared = await repositoriesOf(host).use(address, signal)
      const { repository } = shared
      const source = { ...sqlite(path), defaultName: database }
      const options = { ...request, database, control: await control, signal, onEvent: emit }
      const capture = await followDatabase(source, repository, options)
      entry.running = capture
      resolve(capture)
      await capture.done
      return await capture.stop()
    } catch (thrown) {
      reject(thrown)
      throw thrown
    } finally {
      captures.delete(database)
    }
  },
  sync: async (database, { signal }) => await (await captureOf(database)).sync({ signal }),
  status: async () =>
    Object.fromEntries(
      [...captures].flatMap(([database, { running }]) => (running === undefined ? [] : [[database, running.status]])),
    ),
  stop: async ({ database, waitMs }) => await (await captureOf(database)).stop({ waitMs }),
  backUp: async ({ database, request }, { signal, emit }) =>
    await (await captureOf(database)).backUp({ ...request, signal, onProgress: throttleProgress(emit) }),
  expire: async ({ database, storage, policy, graceMs }, { signal, host }) =>
    await upkeep({ database, storage }, { signal, host }, async (place, options) => {
      return expireSummary(await expireDatabase(place, policy, { ...options, graceMs }))
    }),
  compact: async (input, context) =>
    await upkeep(input, context, async (place, options) => upkeepSummary(await compactDatabase(place, options))),
})

/** Under the lease of following, where the database is followed here; else under one of its own. */
async function upkeep(
  { database, storage: address }: UpkeepRequest,
  { signal, host }: Pick<EngineContext<undefined>, 'signal' | 'host'>,
  work: (place: DatabaseRepository, options: UpkeepOptions) => Promise<UpkeepSummary>,
): Promise<UpkeepSummary> {
  const entry = captures.get(database)
  if (entry !== undefined) {
    const capture = await abortable(entry.begun, signal)
    return await capture.exclusively((place, lease, stop) => work(place, { lease, signal: stop }), { signal })
  }
  await using shared = await repositoriesOf(host).use(address, signal)
  return await work(shared.repository.database(database), { signal })
}

/** Not ended by the call that happens to be the first. */
function repositoriesOf(host: Peer): SharedRepositories<StorageAddress> {
  repositories ??= new SharedRepositories((address) => openLinkedStorage(address, host, new AbortController().signal))
  return repositories
}

async function captureOf(database: string): Promise<Capture> {
  const entry = captures.get(database)
  if (entry !== undefined) return await entry.begun
  throw new HoldfastError('NOT_RUNNING', `${database} is not followed at the moment.`, { object: database })
}
