import { type HoldfastError, hasCode, toHoldfastError } from '../errors.ts'

/** What a verification found of one database, by what it is about. */
export class Problems {
  /** By object key. */
  readonly objects = new Map<string, string>()
  /** By id: backups that fail for a reason of their own, not because of one object. */
  readonly backups = new Map<string, string>()

  get any(): boolean {
    return this.objects.size > 0 || this.backups.size > 0
  }

  /** Damage that the check meets is a problem of that object, and so is its end under the check; whatever else goes wrong is thrown. */
  async guard(key: string, check: () => Promise<void>): Promise<void> {
    try {
      await check()
    } catch (error) {
      const failure = toHoldfastError(error, key)
      const hasVanished = failure.code === 'OBJECT_NOT_FOUND'
      if (!hasVanished && !isDamage(failure)) throw failure
      this.objects.set(key, hasVanished ? 'It vanished while it was checked.' : failure.message)
    }
  }
}

export function isDamage(error: unknown): error is HoldfastError {
  return hasCode(error, 'INTEGRITY', 'FORMAT_TOO_NEW', 'STORAGE_CORRUPT', 'WRONG_KEY')
}
