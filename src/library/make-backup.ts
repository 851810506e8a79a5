import { backupEnding } from '../agent/journal/backup-ending.ts'
import type { OperationTrigger } from '../agent/journal/operation.ts'
import type { BackupResult, CreateBackupOptions } from '../backup/backup-options.ts'
import { backupRequest } from '../backup/engine-api.ts'
import type { ManagedDatabase } from '../backup/managed-database.ts'
import type { IncrementalBackupOptions } from '../backup/manager-options.ts'
import { backUpThroughFollower, followerSocket } from '../capture/control/back-up-through-follower.ts'
import { parseOptions } from '../engine/parse-options.ts'
import { checkRunning } from '../engine/running-options.ts'
import type { Progress } from '../util/progress.ts'
import { RateMeter } from '../util/rate-meter.ts'
import type { RecordedFacts } from './journal/recorder.ts'
import type { ManagerParts } from './manager-parts.ts'

/** Who asked for a backup, if not the application itself. */
export interface AskedBy {
  readonly trigger: OperationTrigger
  readonly schedule: string
}

/** Makes a backup when it is its turn, and records it. @throws BackupError */
export async function makeBackup(
  { queue, recorder, options: { defaults } }: ManagerParts,
  database: ManagedDatabase,
  type: CreateBackupOptions['type'],
  { onProgress, signal, ...rest }: Omit<IncrementalBackupOptions, 'database'>,
  askedBy?: AskedBy,
): Promise<BackupResult> {
  const startedAt = Date.now()
  const meter = new RateMeter()
  const report = onProgress && ((progress: Progress) => onProgress(meter.measure(progress), database.name))
  try {
    checkRunning({ signal, onProgress })
    const request = parseOptions(backupRequest, { ...defaults, ...rest, type })
    const facts = { ...factsOf(database, request), ...askedBy }
    const work = () => backUp(database, { ...request, signal, onProgress: report })
    return await queue.run(database.name, () => recorder.recorded(facts, work, backupEnding), signal)
  } catch (thrown) {
    throw database.failure(thrown, { type }, startedAt)
  }
}

function factsOf(
  { name: database, location: path }: ManagedDatabase,
  { type, name, parent, allowDamaged = false }: CreateBackupOptions,
): RecordedFacts {
  return {
    kind: 'backup',
    database,
    type,
    parameters: { path, name: name ?? null, parent: parent ?? null, allowDamaged },
  }
}

/** Whoever follows the database, in this process or another of this machine, has its lease and makes the backup. */
async function backUp(database: ManagedDatabase, options: CreateBackupOptions): Promise<BackupResult> {
  const { repository, location } = database
  const beforehand: string[] = []
  const onWarning = (message: string): void => void beforehand.push(message)
  const follower = await followerSocket(repository, { signal: options.signal, onWarning })
  const made =
    follower === undefined
      ? await database.backUp(options)
      : await backUpThroughFollower(follower, { database: repository, location }, options)
  return { ...made, warnings: [...beforehand, ...made.warnings] }
}
