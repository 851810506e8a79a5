/** The program of a worker: follows databases, which only this process opens. Forked by the agent. */
import type { Capture } from '../../capture/capture.ts'
import { type CaptureControl, listenForRequests } from '../../capture/control/capture-control.ts'
import { followDatabase } from '../../capture/follow-database.ts'
import { throttleProgress } from '../../engine/progress-event.ts'
import { type EngineContext, serve } from '../../engine/serve.ts'
import { openLinkedStorage } from '../../engine/storage-link.ts'
import { HoldfastError } from '../../errors.ts'
import { compactDatabase } from '../../maintenance/compact/compact-database.ts'
import { expireDatabase } from '../../maintenance/expire/expire-database.ts'
import type { UpkeepOptions, UpkeepReport } from '../../maintenance/upkeep/upkeep-options.ts'
import type { DatabaseRepository } from '../../repository/database-repository.ts'
import { Repository } from '../../repository/repository.ts'
import { sqlite } from '../../source/sqlite/sqlite-source.ts'
import { type UpkeepRequest, type UpkeepSummary, workerApi } from './worker-api.ts'

/** Where a command that was started by hand is at work on the same database, its end is waited for. */
const leaseWaitMs = 10 * 60_000

const captures = new Map<string, Capture>()
let control: Promise<CaptureControl | undefined> | undefined

serve(workerApi, {
  follow: async ({ path, database, storage: address, request }, { signal, emit, host }) => {
    if (captures.has(database))
      throw new HoldfastError('USAGE', `${database} is followed already.`, { object: database })
    control ??= listenForRequests((message) => emit({ kind: 'warning', message }))
    const storage = await openLinkedStorage(address, host, signal)
    try {
      const repository = await Repository.open(storage, { signal })
      const source = { ...sqlite(path), defaultName: database }
      const options = { ...request, database, control: await control, signal, onEvent: emit }
      const capture = await followDatabase(source, repository, options)
      captures.set(database, capture)
      try {
        await capture.done
        return await capture.stop()
      } finally {
        captures.delete(database)
      }
    } finally {
      await storage.close()
    }
  },
  sync: async (database, { signal }) => await captureOf(database).sync({ signal }),
  status: async () => Object.fromEntries([...captures].map(([database, { status }]) => [database, status])),
  stop: async ({ database, waitMs }) => await captureOf(database).stop({ waitMs }),
  backUp: async ({ database, request }, { signal, emit }) =>
    await captureOf(database).backUp({ ...request, signal, onProgress: throttleProgress(emit) }),
  expire: async ({ database, storage, policy, graceMs }, { signal, host }) =>
    await upkeep({ database, storage }, { signal, host }, async (place, options) => {
      const report = await expireDatabase(place, policy, { ...options, graceMs })
      return { ...summaryOf(report), keptBackups: report.keep.length, droppedBackups: report.drop.length }
    }),
  compact: async (input, context) =>
    await upkeep(input, context, async (place, options) => summaryOf(await compactDatabase(place, options))),
})

/** Under the lease of following, where the database is followed here; else under one of its own. */
async function upkeep(
  { database, storage: address }: UpkeepRequest,
  { signal, host }: Pick<EngineContext<undefined>, 'signal' | 'host'>,
  work: (place: DatabaseRepository, options: UpkeepOptions) => Promise<UpkeepSummary>,
): Promise<UpkeepSummary> {
  const capture = captures.get(database)
  if (capture !== undefined)
    return await capture.exclusively((place, lease) => work(place, { lease, signal }), { signal })
  const storage = await openLinkedStorage(address, host, signal)
  try {
    const repository = await Repository.open(storage, { signal })
    return await work(repository.database(database), { leaseWaitMs, signal })
  } finally {
    await storage.close()
  }
}

function summaryOf({ merged, deleted, freedBytes, waitingBytes }: UpkeepReport): UpkeepSummary {
  return {
    keptBackups: 0,
    droppedBackups: 0,
    mergedSegments: merged.length,
    deletedSegments: deleted.length,
    freedBytes,
    waitingBytes,
  }
}

function captureOf(database: string): Capture {
  const capture = captures.get(database)
  if (capture !== undefined) return capture
  throw new HoldfastError('NOT_RUNNING', `${database} is not followed at the moment.`, { object: database })
}
