import { HoldfastError } from '../../../src/errors.ts'
import type { BackupStorage } from '../../../src/storage/storage.ts'
import type { Fuse } from './fuse.ts'

/** The storage of a process that ends when its fuse blows, before or after the operation took effect. */
export function fusedStorage(
  inner: BackupStorage,
  fuse: Fuse,
  options: {
    readonly isAway?: (() => boolean) | undefined
    readonly afterEffect?: boolean | undefined
    /** Waited for before each operation. */
    readonly latency?: (() => Promise<void>) | undefined
  } = {},
): BackupStorage {
  const { isAway = () => false, afterEffect = false, latency = async () => {} } = options
  const step = (what: string) => {
    fuse.step(what)
    if (isAway()) throw new HoldfastError('STORAGE_TRANSIENT', `The storage is away (${what}).`)
  }
  const around = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    await latency()
    if (!afterEffect) step(what)
    else if (isAway() || fuse.isBlown) step(what)
    const result = await work()
    if (afterEffect) fuse.step(what)
    return result
  }
  return {
    url: inner.url,
    capabilities: inner.capabilities,
    put: (key, body, putOptions) => around(`put ${key}`, () => inner.put(key, body, putOptions)),
    head: (key, headOptions) => around(`head ${key}`, () => inner.head(key, headOptions)),
    delete: (key, deleteOptions) => around(`delete ${key}`, () => inner.delete(key, deleteOptions)),
    async *get(key, getOptions) {
      await latency()
      step(`get ${key}`)
      yield* inner.get(key, getOptions)
    },
    async *list(prefix, listOptions) {
      await latency()
      step(`list ${prefix}`)
      yield* inner.list(prefix, listOptions)
    },
    close: async () => {},
  }
}
