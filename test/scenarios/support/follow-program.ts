/**
 * A process that follows a database into a local repository, once it is told which; see `follow-process.ts` for how to talk to
 * it. It is killed at any moment of its work.
 */
import type { CaptureEvent } from '../../../src/capture/capture-events.ts'
import { followDatabase } from '../../../src/capture/follow-database.ts'
import type { FollowOptions } from '../../../src/capture/follow-options.ts'
import { toHoldfastError } from '../../../src/errors.ts'
import { Repository } from '../../../src/repository/repository.ts'
import { sqlite } from '../../../src/source/sqlite/sqlite-source.ts'
import { openStorage } from '../../../src/storage/open-storage.ts'

export interface FollowTask {
  readonly path: string
  readonly repository: string
  readonly stateFolder: string
  /** In the place of {@link often}. */
  readonly pace?: Pick<FollowOptions, 'syncIntervalMs' | 'handOff' | 'auditIntervalMs' | 'rollUpEvery'>
}

export type FollowRequest = { readonly task: FollowTask } | { readonly sync: number } | 'stop'

export type FollowAnswer =
  | { readonly booted: true }
  | { readonly synced: number; readonly lsn: number }
  | { readonly event: CaptureEvent }
  | { readonly ready: true }
  | { readonly failed: string; readonly code: string }

/** Everything that happens now and then happens often. */
const often = {
  syncIntervalMs: 200,
  handOff: { logBytes: 512 * 1024, ageMs: 2_000 },
  auditIntervalMs: 1_500,
  rollUpEvery: 12,
} as const

const tell = (answer: FollowAnswer): void => void process.send?.(answer)

async function follow(task: FollowTask): Promise<void> {
  await using repository = await Repository.open(await openStorage(task.repository))
  await using capture = await followDatabase(sqlite(task.path), repository, {
    ...often,
    ...task.pace,
    stateFolder: task.stateFolder,
    stopWaitMs: 60_000,
    onEvent: (event) => tell({ event }),
  })
  process.on('message', (request: FollowRequest) => {
    if (request === 'stop') capture.stop().catch(fail)
    else if ('sync' in request) capture.sync().then((lsn) => tell({ synced: request.sync, lsn }), fail)
  })
  tell({ ready: true })
  await capture.done
}

function fail(thrown: unknown): void {
  const { code, message, stack } = toHoldfastError(thrown)
  tell({ failed: `${code}: ${message}\n${stack}`, code })
}

process.on('disconnect', () => process.exit())
process.once('message', (request: FollowRequest) => {
  if (request === 'stop' || !('task' in request)) throw new Error('Which database?')
  follow(request.task)
    .catch(fail)
    .finally(() => process.disconnect())
})
tell({ booted: true })
