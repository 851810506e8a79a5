import { randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { mkdir, readdir, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { userStateFolder } from '../util/user-state-folder.ts'

/** A socket's path has 108 bytes on Linux and 104 elsewhere, with a zero at the end. */
const longestPath = 103

/** The id of the process, and what tells several of one process apart. */
const socketName = /^(\d+)-[0-9a-f]{8}\.sock$/
/** On Windows. */
const pipeName = /\\holdfast-(\d+)-[0-9a-f]{8}$/

/** The folder of the sockets on which this user's processes can be spoken to. */
export function controlFolder(environment: NodeJS.ProcessEnv = process.env): string {
  return join(userStateFolder(environment), 'run')
}

/**
 * Where this process is to listen: in a folder that only this user may enter. What processes that were killed left there is
 * cleared away.
 * @throws the system's error if there is no such folder and it cannot be made
 */
export async function newSocketPath(folder = controlFolder()): Promise<string> {
  if (process.platform === 'win32') return `\\\\.\\pipe\\holdfast-${process.pid}-${randomBytes(4).toString('hex')}`
  await mkdir(folder, { recursive: true, mode: 0o700 })
  for (const name of readdirSync(folder)) {
    const pid = socketName.exec(name)?.[1]
    if (pid !== undefined && !exists(Number(pid))) await rm(join(folder, name), { force: true })
  }
  return join(folder, `${process.pid}-${randomBytes(4).toString('hex')}.sock`)
}

/** Where processes of this user listen, as far as the folder of their sockets tells; some may have ended. None where sockets are no files. */
export async function listeningSockets(folder = controlFolder()): Promise<readonly string[]> {
  if (process.platform === 'win32') return []
  const names = await readdir(folder).catch((thrown: unknown) => {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return []
    throw thrown
  })
  return names.filter((name) => socketName.test(name)).map((name) => join(folder, name))
}

/** The id of the process that listens there; undefined if the path does not tell. */
export function listenerOf(path: string): number | undefined {
  const pid = socketName.exec(basename(path))?.[1] ?? pipeName.exec(path)?.[1]
  return pid === undefined ? undefined : Number(pid)
}

export function isTooLong(path: string): boolean {
  return Buffer.byteLength(path) > longestPath
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}
