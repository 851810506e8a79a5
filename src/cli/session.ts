import type { Repository } from '../repository/repository.ts'
import type { OnProgress } from '../util/progress.ts'
import type { ConfigFile } from './config/config-file.ts'
import type { CommandName, ResultData } from './json/schemas.ts'
import type { Output } from './output.ts'
import type { CommandJournal } from './record/command-journal.ts'

/** What a command works with. */
export interface Session {
  readonly output: Output
  /** For what is drawn there beside the output's own lines. */
  readonly stderr: NodeJS.WriteStream
  /** Path or URL of the repository: as given, or as the configuration file says. */
  readonly location: string
  /** The same command finds it without `--repository`. */
  readonly isLocationImplied: boolean
  readonly configFile: ConfigFile
  readonly signal: AbortSignal
  readonly now: () => number
  /** Where it records what it does. */
  readonly journal: CommandJournal
  /** Somebody sits at a terminal and can be asked. */
  readonly interactive: boolean
}

/** What a command hands back: for programs, and for people. */
export interface Outcome<Name extends CommandName> {
  readonly data: ResultData<Name>
  readonly text: string
  /** Printed instead of `text` with `--quiet`. */
  readonly brief?: string
  /** Default: 0, or 3 if there was a warning. */
  readonly exitCode?: number
}

/** @throws REPOSITORY_NOT_FOUND, FORMAT_TOO_NEW, STORAGE_* */
export async function openRepository(session: Session): Promise<Repository> {
  const { location, signal } = session
  const [{ openStorage }, { openKnown }] = await Promise.all([
    import('../storage/open-storage.ts'),
    import('../repository/known-places.ts'),
  ])
  const storage = await openStorage(location)
  try {
    return await openKnown(storage, { signal })
  } catch (error) {
    await storage.close()
    const { withMirrors } = await import('./mirror/with-mirrors.ts')
    throw await withMirrors(session, error)
  }
}

/** Runs an operation with its progress shown under `label`. */
export async function withProgress<T>(
  { output }: Session,
  label: string,
  work: (onProgress: OnProgress) => Promise<T>,
): Promise<T> {
  const task = output.progress.task(label)
  try {
    return await work(task.onProgress)
  } finally {
    task.end()
  }
}
