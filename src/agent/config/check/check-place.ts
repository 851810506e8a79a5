import { HoldfastError } from '../../../errors.ts'
import { requireLocation } from '../../../storage/open-storage.ts'
import type { ConfigPath } from '../yaml/config-path.ts'
import type { Reporter } from './reporter.ts'

/** Whether there is a storage for the place of a repository or a mirror. @param location absolute path or URL */
export function checkPlace(location: string, path: ConfigPath, report: Reporter): boolean {
  try {
    requireLocation(location)
    return true
  } catch (thrown) {
    if (!(thrown instanceof HoldfastError)) throw thrown
    const { message, hint } = thrown
    report.value(path, hint === undefined ? message : `${message} ${hint}`)
    return false
  }
}
