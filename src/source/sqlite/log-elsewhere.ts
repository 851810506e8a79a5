import { HoldfastError } from '../../errors.ts'
import { type FileProbe, statIfPresent } from './file-probe.ts'
import { commandOf, identityOf, type OpenFile, openFilesOf, otherProcesses } from './open-files.ts'

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
  if (findLogElsewhere(path, recentLogs()) === undefined) return
  // Again, because the log may be removed and made anew while one looks.
  const found = findLogElsewhere(path, openLogs())
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

/** A log that another process has open together with its database. */
interface OpenLog {
  /** Of the database, as that process sees it. */
  readonly name: string
  readonly pid: string
  readonly log: OpenFile
}

/** By the identity of the database. */
type OpenLogs = ReadonlyMap<string, readonly OpenLog[]>

/** Thousands of databases may be opened one after the other: all files of all processes are looked through once for those of a while. */
const lastsMs = 500
let recent: { readonly since: number; readonly logs: OpenLogs } | undefined

function recentLogs(): OpenLogs {
  const now = performance.now()
  if (recent === undefined || now - recent.since >= lastsMs) recent = { since: now, logs: openLogs() }
  return recent.logs
}

function openLogs(): OpenLogs {
  const all = new Map<string, OpenLog[]>()
  for (const pid of otherProcesses()) {
    const files = new Map([...openFilesOf(pid)].map((file) => [file.name, file]))
    for (const [logName, log] of files) {
      if (!logName.endsWith('-wal')) continue
      const name = logName.slice(0, -'-wal'.length)
      const database = files.get(name)?.identity()
      if (database !== undefined) all.set(database, [...(all.get(database) ?? []), { name, pid, log }])
    }
  }
  return all
}

function findLogElsewhere(path: string, logs: OpenLogs): { name: string; pid: string; command: string } | undefined {
  const ours = identityOf(`${path}-wal`)
  const found = logs.get(identityOf(path) ?? '')?.find(({ log }) => log.identity() !== ours)
  return found && { name: found.name, pid: found.pid, command: commandOf(found.pid) }
}
