import { statSync } from 'node:fs'
import { parse } from 'node:path'

/**
 * Where an engine runs: undefined for this process's working folder. When that was removed, as an old release's is by the next, no
 * thread can be started in it.
 */
export function engineFolder(): string | undefined {
  return isRemoved('.') ? parse(process.execPath).root : undefined
}

function isRemoved(folder: string): boolean {
  try {
    return statSync(folder).nlink === 0
  } catch (error) {
    // Whatever else it is does not keep a process from being there.
    return error instanceof Error && 'code' in error && error.code === 'ENOENT'
  }
}
