/**
 * A process that follows a database into a local repository; see `follow-process.ts` for how to talk to it. It is killed at any
 * moment of its work. Its argument is a JSON of {@link FollowTask}.
 */
import type { CaptureEvent } from '../../../src/capture/capture-events.ts'
import { followDatabase } from '../../../src/capture/follow-database.ts'
import { toHoldfastError } from '../../../src/errors.ts'
import { Repository } from '../../../src/repository/repository.ts'
import { sqlite } from '../../../src/source/sqlite/sqlite-source.ts'
import { openStorage } from '../../../src/storage/open-storage.ts'

export interface FollowTask {
  readonly path: string
  readonly repository: string
  readonly stateFolder: string
}

export type FollowRequest = { readonly sync: number } | 'stop'

export type FollowAnswer =
  | { readonly synced: number; readonly lsn: number }
  | { readonly event: CaptureEvent }
  | { readonly ready: true }
  | { readonly failed: string; readonly code: string }

const tell = (answer: FollowAnswer): void => void process.send?.(answer)

async function follow(task: FollowTask): Promise<void> {
  await using repository = await Repository.open(await openStorage(task.repository))
  await using capture = await followDatabase(sqlite(task.path), repository, {
    stateFolder: task.stateFolder,
    // Everything that happens now and then happens often.
    syncIntervalMs: 200,
    handOff: { logBytes: 512 * 1024, ageMs: 2_000 },
    auditIntervalMs: 1_500,
    rollUpEvery: 12,
    stopWaitMs: 60_000,
    onEvent: (event) => tell({ event }),
  })
  process.on('message', (request: FollowRequest) => {
    if (request === 'stop') capture.stop().catch(fail)
    else capture.sync().then((lsn) => tell({ synced: request.sync, lsn }), fail)
  })
  tell({ ready: true })
  await capture.done
}

function fail(thrown: unknown): void {
  const { code, message, stack } = toHoldfastError(thrown)
  tell({ failed: `${code}: ${message}\n${stack}`, code })
}

process.on('disconnect', () => process.exit())
const [, , argument = '{}'] = process.argv
follow(JSON.parse(argument))
  .catch(fail)
  .finally(() => process.disconnect())
