import { randomBytes } from 'node:crypto'
import { stat, unlink } from 'node:fs/promises'
import { currentProcess, type ProcessIdentity, processState } from '../../util/process-identity.ts'
import { isMissing } from './file-error.ts'

/** `@` is not in the alphabet of keys: no object can have such a name, and no listing shows it. */
const pattern = /^\.tmp-([A-Za-z0-9_-]+)@[0-9a-f]{16}$/

/** After this long without a write, a file of a process about which nothing is known here counts as left over. */
const unknownOwnerMs = 24 * 60 * 60 * 1000

let ownName: string | undefined

/** A new name that says whose it is, so that any later process can tell whether the owner still lives. */
export function temporaryName(): string {
  ownName ??= encodeOwner(currentProcess())
  return `.tmp-${ownName}@${randomBytes(8).toString('hex')}`
}

/**
 * Removes the file if its name is a temporary one whose process is dead. A file of a live process stays, however old.
 * A failure to remove is left to the next sweep: cleaning up must not fail the operation that happened to come by.
 */
export async function sweepTemporary(folder: string, name: string): Promise<void> {
  const owner = ownerOf(name)
  if (owner === undefined) return
  const path = `${folder}/${name}`
  try {
    if (await isLeftOver(owner, path)) await unlink(path)
  } catch {
    return
  }
}

export async function removeIfPresent(path: string): Promise<void> {
  try {
    await unlink(path)
  } catch (thrown) {
    if (!isMissing(thrown)) throw thrown
  }
}

async function isLeftOver(owner: ProcessIdentity, path: string): Promise<boolean> {
  const state = processState(owner)
  if (state !== 'unknown') return state === 'dead'
  return Date.now() - (await stat(path)).mtimeMs > unknownOwnerMs
}

/** Longer host names than Linux has are cut, so that the file's name stays within 255 bytes: their process is then unknown. */
function encodeOwner({ host, bootId, pid, startedAt }: ProcessIdentity): string {
  return Buffer.from([host.slice(0, 64), bootId, pid, startedAt].join('\n')).toString('base64url')
}

function ownerOf(name: string): ProcessIdentity | undefined {
  const encoded = pattern.exec(name)?.[1]
  if (encoded === undefined) return undefined
  const [host, bootId, pid, startedAt] = Buffer.from(encoded, 'base64url').toString().split('\n')
  const pidNumber = Number(pid)
  if (host === undefined || bootId === undefined || startedAt === undefined || !Number.isSafeInteger(pidNumber))
    return undefined
  // Ids from 0 down mean groups of processes to the kernel.
  return pidNumber > 0 ? { host, bootId, pid: pidNumber, startedAt } : undefined
}
