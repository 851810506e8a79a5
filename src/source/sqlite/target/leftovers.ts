import { readdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { currentProcess, processState } from '../../../util/process-identity.ts'
import { parseTemporaryName, shortBase } from './temporary-name.ts'

/**
 * Cleans up after restores that were killed: removes their temporary files from the folder, whatever they were restoring, and
 * finishes what they did with the sidecars of `base`. Files of processes that live, or may live, are left alone.
 */
export function clearLeftovers(folder: string, base: string): void {
  const here = currentProcess()
  for (const name of readdirSync(folder)) {
    const found = parseTemporaryName(name, here)
    if (found === undefined || processState(found.owner) !== 'dead') continue
    const kept = /^\.kept-(\d+)(-wal|-journal)$/.exec(found.suffix)
    if (kept === null) rmSync(join(folder, name), { force: true })
    else if (found.base === shortBase(base))
      settleKept(join(folder, name), join(folder, base), Number(kept[1]), `${kept[2]}`)
  }
}

/** Whether the killed restore came to the rename can be told from the inode under the target's name. */
function settleKept(kept: string, target: string, inode: number, suffix: string): void {
  const standing = statSync(target, { throwIfNoEntry: false })?.ino ?? 0
  if (standing !== inode) rmSync(kept, { force: true })
  else if (statSync(target + suffix, { throwIfNoEntry: false }) === undefined) renameSync(kept, target + suffix)
}
