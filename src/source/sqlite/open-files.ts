/** Which files other processes have open, as far as Linux tells: best effort, and nothing where there is no /proc. */
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { basename } from 'node:path'

export interface OpenFile {
  /** As that process sees it. */
  readonly name: string
  /** See {@link identityOf}. Undefined if it is gone. */
  readonly identity: () => string | undefined
}

/** Processes that we may not look into seem to have nothing open. */
export function otherProcesses(): string[] {
  return listNames('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
}

export function* openFilesOf(pid: string): Generator<OpenFile, void, undefined> {
  for (const descriptor of listNames(`/proc/${pid}/fd`)) {
    const link = `/proc/${pid}/fd/${descriptor}`
    const name = targetOf(link)
    // Asking for sockets, pipes and devices is useless, and a dead network folder must not be asked at all without need.
    if (name === undefined || !name.startsWith('/') || name.startsWith('/dev/') || name.startsWith('/proc/')) continue
    yield { name, identity: () => identityOf(link) }
  }
}

/** Which file a path leads to, independent of its name; undefined if there is none. */
export function identityOf(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path, { bigint: true })
    return `${dev}:${ino}`
  } catch {
    return undefined
  }
}

const longestCommand = 60

/**
 * How it was started, in short (`node server.js`): its own name is `MainThread` for every program of Node.js. Further arguments
 * may be secrets.
 */
export function commandOf(pid: string): string {
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

function targetOf(link: string): string | undefined {
  try {
    return readlinkSync(link)
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
