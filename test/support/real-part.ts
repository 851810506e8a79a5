/**
 * Tests against real programs: the `sqlite3` shell, `zstd`, an SFTP server. Where one is not installed, its tests are
 * skipped and say so; with HOLDFAST_REQUIRE_PARTS=1, as in CI, they fail. scripts/install-parts.sh installs them all.
 *
 * @example
 * const sqlite3 = requirePart('sqlite3')
 *
 * test('the sqlite3 shell reads what was restored', sqlite3, async () => {
 *   await execFile(sqlite3.path, [restored, 'PRAGMA integrity_check'])
 * })
 */
import { accessSync, constants, statSync } from 'node:fs'
import { delimiter, isAbsolute, join } from 'node:path'

/** A real program, which is also the options of the tests that use it. */
export interface RealPart {
  /** The program's absolute path. Reading it throws when the program is not installed. */
  readonly path: string
  /** The reason to skip the tests that use it, or false. */
  readonly skip: string | false
}

/**
 * Finds a program in PATH and in the system folders that PATH may lack.
 *
 * @param names the program's name, then other names that it may go by
 * @throws Error when it is not installed and HOLDFAST_REQUIRE_PARTS=1
 */
export function requirePart(...names: [string, ...string[]]): RealPart {
  const path = names.map(find).find((found) => found !== undefined)
  if (path !== undefined) return { path, skip: false }
  const reason = `${names.join(' or ')} is not installed`
  if (process.env['HOLDFAST_REQUIRE_PARTS'] === '1')
    throw new Error(`${reason}, and HOLDFAST_REQUIRE_PARTS=1 asks for it`)
  return new MissingPart(reason)
}

// The getter is the class's and not the object's own, because the test runner copies every property of a test's options.
class MissingPart implements RealPart {
  readonly skip: string
  constructor(reason: string) {
    this.skip = reason
  }
  get path(): never {
    throw new Error(this.skip)
  }
}

function find(name: string): string | undefined {
  const path = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => isAbsolute(folder))
  const folders = [...path, '/usr/local/sbin', '/usr/sbin', '/sbin']
  const endings = process.platform === 'win32' ? ['.exe', '.cmd', ''] : ['']
  return folders.flatMap((folder) => endings.map((ending) => join(folder, name + ending))).find(isProgram)
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
  } catch {
    return false
  }
  return statSync(path).isFile()
}
