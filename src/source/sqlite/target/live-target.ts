/** Who else uses a file, as far as Linux tells: SQLite's locks do not show an idle connection in rollback mode. */
import { HoldfastError } from '../../../errors.ts'
import { commandOf, identityOf, openFilesOf, otherProcesses } from '../open-files.ts'

export interface Holder {
  readonly pid: number
  readonly command: string
}

/**
 * Other processes that have one of the files open. Best effort: processes that we may not look into are left out, and where
 * there is no /proc there are none.
 */
export function findHolders(paths: readonly string[]): Holder[] {
  const wanted = new Set(paths.flatMap((path) => identityOf(path) ?? []))
  if (wanted.size === 0) return []
  return otherProcesses()
    .filter((pid) => openFilesOf(pid).some((file) => wanted.has(file.identity() ?? '')))
    .map((pid) => ({ pid: Number(pid), command: commandOf(pid) }))
}

export function liveTarget(path: string, holders: readonly Holder[], cause?: unknown): HoldfastError {
  const who = holders.map(({ pid, command }) => `${command} (process ${pid})`).join(', ')
  return new HoldfastError('TARGET_LIVE', `The target ${path} is in use by ${who || 'another process'}.`, {
    object: path,
    hint: 'Stop what uses it, or restore to another path. A database in use is never replaced nor changed, also not by force.',
    cause,
  })
}
