import { open, realpath, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { toHoldfastError } from '../../errors.ts'
import { systemCode } from '../../storage/local/file-error.ts'

const pauseMs = 20
/** Nobody takes so long to change a file: whoever left a lock of that age was killed. */
const staleMs = 10_000

/**
 * Commands that change a file at the same time do so one after the other, each on what the one before has left. Others are not kept from it.
 * @throws ACCESS_DENIED, DISK_FULL, ABORTED
 */
export async function lockFile(path: string, signal: AbortSignal): Promise<AsyncDisposable> {
  const target = await realpath(path).catch(() => path)
  const lock = join(dirname(target), `.${basename(target)}.lock`)
  try {
    while (!(await isMade(lock))) {
      if (await isStale(lock)) await rm(lock, { force: true })
      else await sleep(pauseMs, undefined, { signal })
    }
  } catch (thrown) {
    throw toHoldfastError(thrown, path)
  }
  return { [Symbol.asyncDispose]: () => rm(lock, { force: true }) }
}

async function isMade(lock: string): Promise<boolean> {
  try {
    await using _file = await open(lock, 'wx', 0o600)
    return true
  } catch (thrown) {
    if (systemCode(thrown) === 'EEXIST') return false
    // Where there is no folder there is no file: whoever reads it says so.
    if (systemCode(thrown) === 'ENOENT') return true
    throw thrown
  }
}

async function isStale(lock: string): Promise<boolean> {
  const found = await stat(lock).catch((thrown: unknown) => {
    if (systemCode(thrown) === 'ENOENT') return undefined
    throw thrown
  })
  return found !== undefined && Math.abs(Date.now() - found.mtimeMs) > staleMs
}
