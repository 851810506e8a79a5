/** What the system allows a process that follows many databases. */
import { readFile } from 'node:fs/promises'

/** Undefined: the system does not tell, or sets none. */
export interface SystemLimits {
  /** Files that one process may have open. */
  readonly openFiles?: number | undefined
  /** Files of whose changes all processes of a user can be notified (inotify). */
  readonly watchedFiles?: number | undefined
}

/** Of a follower at rest seven: the database, its log and its shared memory, for SQLite and for reading; and a lock. Two come with commits. */
const filesEach = 9
/** What a worker has open besides, and what hand-offs and uploads open for moments. */
const filesBesides = 200
/** The database and its log. */
const watchesEach = 2

export interface LimitWarning {
  readonly message: string
  readonly hint: string
}

/** What does not suffice for so many followed databases. Pure. */
export function shortLimits(
  { openFiles, watchedFiles }: SystemLimits,
  followed: number,
  workers: number,
): readonly LimitWarning[] {
  const neededFiles = filesEach * Math.ceil(followed / Math.max(1, workers)) + filesBesides
  const neededWatches = watchesEach * followed
  const warnings: LimitWarning[] = []
  if (openFiles !== undefined && neededFiles > openFiles)
    warnings.push({
      message: `A process may have ${openFiles} files open, but each of ${workers} workers needs up to ${neededFiles} for ${followed} databases: some will not be followed.`,
      hint: `Raise the hard limit: LimitNOFILE= of a systemd unit, "ulimit -Hn" elsewhere, "--ulimit nofile" of a container; or have more workers (concurrency).`,
    })
  if (watchedFiles !== undefined && neededWatches > watchedFiles)
    warnings.push({
      message: `The system watches at most ${watchedFiles} files for a user, but ${followed} databases need ${neededWatches}: commits of some are noticed later, by looking.`,
      hint: `Raise it: "sysctl fs.inotify.max_user_watches=${2 * neededWatches}".`,
    })
  return warnings
}

/** Workers have the same limits. Only Linux tells. */
export async function systemLimits(
  read: (path: string) => Promise<string> = (path) => readFile(path, 'utf8'),
): Promise<SystemLimits> {
  const [limits, watches] = await Promise.all(
    ['/proc/self/limits', '/proc/sys/fs/inotify/max_user_watches'].map((path) => read(path).catch(() => '')),
  )
  const openFiles = /^Max open files\s+(\d+)/m.exec(limits ?? '')?.[1]
  const watchedFiles = /^\d+/.exec(watches ?? '')?.[0]
  return {
    openFiles: openFiles === undefined ? undefined : Number(openFiles),
    watchedFiles: watchedFiles === undefined ? undefined : Number(watchedFiles),
  }
}
