import { BackupManager, type BackupResult, sqlite } from '../../src/index.ts'
import {
  type BackupKnown,
  type BackupRequestOfSchedule,
  BackupSchedules,
  type ScheduleHost,
} from '../../src/library/scheduled-backups.ts'
import { FakeSchedulerClock } from '../agent/schedule/support/fake-scheduler-clock.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { makeDatabase } from './make-database.ts'

/** What a backup hands back. */
export async function backupResult(): Promise<BackupResult> {
  using folder = temporaryFolder()
  makeDatabase(folder.file('app.db'))
  const repository = folder.file('b')
  await using backups = await BackupManager.open({ source: sqlite(folder.file('app.db')), repository, init: true })
  return await backups.createFullBackup()
}

/** The schedules of a manager whose backups are only noted, with the time and their database before them. */
export function fakeSchedules(
  result: BackupResult,
  start: string,
  backups: (database: string) => readonly BackupKnown[] | Promise<readonly BackupKnown[]> = () => [],
) {
  const made: string[] = []
  const clock = new FakeSchedulerClock(start)
  /** What backups wait for before they are made. */
  const held: { until: Promise<void> | undefined } = { until: undefined }
  const host: ScheduleHost = {
    maxConcurrent: 2,
    backUp: async (database: string, { type, name }: BackupRequestOfSchedule) => {
      made.push(`${new Date(clock.wall).toISOString().slice(5, 16)} ${database} ${name ?? type}`)
      await held.until
      return result
    },
    backups: async (database) => await backups(database),
  }
  return { made, clock, held, schedules: new BackupSchedules(host, clock) }
}
