/**
 * What a capture leaves for the next one once it keeps commits no more, since the spool cannot take them: else the next one would
 * look for the reason elsewhere. An empty file, since the disk may be full; its name tells the newest state that was kept. Once
 * a newer one is kept it means nothing any more.
 */
import { join } from 'node:path'
import { toHoldfastError } from '../errors.ts'
import { type Lsn, toLsn } from '../history/lsn.ts'
import type { LocalFiles } from './spool/local-files.ts'

const nameOf = (lsn: Lsn): string => `gave-up-after-${lsn}`
const pattern = /^gave-up-after-([1-9]\d{0,14})$/

export class GivenUpFile {
  readonly #files: LocalFiles
  readonly #folder: string

  /** @param folder the capture's state folder */
  constructor(files: LocalFiles, folder: string) {
    this.#files = files
    this.#folder = folder
  }

  /** The newest state that was kept before commits were given up; undefined if none were. @throws the system's error */
  async read(): Promise<Lsn | undefined> {
    const noted = (await this.#files.list(this.#folder)).flatMap((name) => pattern.exec(name)?.[1] ?? [])
    return noted.length === 0 ? undefined : toLsn(Math.max(...noted.map(Number)))
  }

  /** Durable when it resolves. @throws ACCESS_DENIED, DISK_FULL, INTERNAL */
  async write(lsn: Lsn): Promise<void> {
    const path = join(this.#folder, nameOf(lsn))
    try {
      const file = await this.#files.create(path)
      try {
        await file.sync()
      } finally {
        await file.close()
      }
      await this.#files.syncFolder(this.#folder)
    } catch (thrown) {
      throw toHoldfastError(thrown, path)
    }
  }

  /** Commits are kept again. @throws ACCESS_DENIED, INTERNAL */
  async clear(): Promise<void> {
    try {
      const noted = (await this.#files.list(this.#folder)).filter((name) => pattern.test(name))
      for (const name of noted) await this.#files.remove(join(this.#folder, name))
      if (noted.length > 0) await this.#files.syncFolder(this.#folder)
    } catch (thrown) {
      throw toHoldfastError(thrown, this.#folder)
    }
  }
}
