/** Who else uses a file, as far as Linux tells: SQLite's locks do not show an idle connection in rollback mode. */
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { basename } from 'node:path'
import { HoldfastError } from '../../../errors.ts'

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
  return listNames('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((pid) => listNames(`/proc/${pid}/fd`).some((fd) => opens(`/proc/${pid}/fd/${fd}`, wanted)))
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

function opens(link: string, wanted: ReadonlySet<string>): boolean {
  try {
    const target = readlinkSync(link)
    // Asking for sockets, pipes and devices is useless, and a dead network folder must not be asked at all without need.
    if (!target.startsWith('/') || target.startsWith('/dev/') || target.startsWith('/proc/')) return false
  } catch {
    return false
  }
  const identity = identityOf(link)
  return identity !== undefined && wanted.has(identity)
}

function identityOf(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path, { bigint: true })
    return `${dev}:${ino}`
  } catch {
    return undefined
  }
}

function listNames(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

const longestCommand = 60

/**
 * How it was started, in short (`node server.js`): its own name is `MainThread` for every program of Node.js. Further arguments
 * may be secrets.
 */
function commandOf(pid: string): string {
  try {
    const [program = '', ...args] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
    const first = args.find((arg) => arg !== '' && !arg.startsWith('-')) ?? ''
    const line = `${basename(program)} ${basename(first)}`.trim()
    if (line !== '') return line.length > longestCommand ? `${line.slice(0, longestCommand)}…` : line
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim()
  } catch {
    return 'a process'
  }
}
