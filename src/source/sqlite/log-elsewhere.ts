import { HoldfastError } from '../../errors.ts'
import { type FileProbe, statIfPresent } from './file-probe.ts'
import { commandOf, identityOf, openFilesOf, otherProcesses } from './open-files.ts'

/**
 * A log lies beside the name by which the database was opened. By another name of the file, a hard link or a mount of it alone,
 * SQLite sees nothing of what is in that log, nor who is at work on the database: what it reads there is an old state, or a mixture.
 *
 * @throws DATABASE_UNSUPPORTED if another process is seen to have the database open like that
 */
export function requireLogHere({ location, path }: FileProbe): void {
  const hasOneName = (statIfPresent(path)?.nlink ?? 1) === 1
  // Looking at every process takes its time, and where there is a log, there is hardly another one.
  if (hasOneName && (statIfPresent(`${path}-wal`)?.size ?? 0) > 0) return
  // Twice, because the log may be removed and made anew while one looks.
  if (findLogElsewhere(path) === undefined) return
  const found = findLogElsewhere(path)
  if (found === undefined) return
  throw new HoldfastError(
    'DATABASE_UNSUPPORTED',
    `${location} is open under another name, ${found.name}, in ${found.command} (process ${found.pid}), and its log is not beside this one.`,
    {
      object: location,
      hint: 'Name it as that process does. A hard link, or a mount of the file without its folder, hides the log from SQLite.',
    },
  )
}

interface LogElsewhere {
  /** Of the database, as the process sees it. */
  readonly name: string
  readonly pid: string
  readonly command: string
}

function findLogElsewhere(path: string): LogElsewhere | undefined {
  const database = identityOf(path)
  for (const pid of otherProcesses()) {
    const files = [...openFilesOf(pid)]
    for (const log of files.filter(({ name }) => name.endsWith('-wal'))) {
      const name = log.name.slice(0, -'-wal'.length)
      const isOurs = files.some((file) => file.name === name && file.identity() === database)
      if (isOurs && log.identity() !== identityOf(`${path}-wal`)) return { name, pid, command: commandOf(pid) }
    }
  }
  return undefined
}
