import { HoldfastError, toHoldfastError } from '../../errors.ts'

/** What a failed system call of the local storage means in the contract's terms. */
export function fileError(thrown: unknown, key: string): HoldfastError {
  const details = { object: key, cause: thrown }
  const code = systemCode(thrown)
  switch (code) {
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new HoldfastError('STORAGE_DENIED', `The storage folder denies access to ${key} (${code}).`, {
        ...details,
        hint: 'Check the owner and mode of the storage folder, and that its file system is mounted for writing.',
      })
    case 'EISDIR':
    case 'ENOTDIR':
    case 'ENOTEMPTY':
    case 'EEXIST':
      return new HoldfastError(
        'USAGE',
        `The key ${key} cannot be stored: one of two keys is the folder of the other (${code}).`,
        details,
      )
    case 'EIO':
    case 'ESTALE':
    case 'ETIMEDOUT':
    case 'EBUSY':
    case 'EAGAIN':
    case 'EMFILE':
    case 'ENFILE':
    case 'ENOENT':
      return new HoldfastError('STORAGE_TRANSIENT', `The storage folder failed on ${key} (${code}).`, details)
    default:
      return toHoldfastError(thrown, key)
  }
}

export function systemCode(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || !('code' in thrown)) return undefined
  return typeof thrown.code === 'string' ? thrown.code : undefined
}

/** Nothing lies at that path: also when a part of it is a file. */
export function isMissing(thrown: unknown): boolean {
  const code = systemCode(thrown)
  return code === 'ENOENT' || code === 'ENOTDIR'
}

/** Awaits a system call; its failure becomes a {@link HoldfastError} about `key`. */
export async function guarded<T>(key: string, call: Promise<T>): Promise<T> {
  try {
    return await call
  } catch (thrown) {
    throw fileError(thrown, key)
  }
}
