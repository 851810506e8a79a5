/**
 * Where the follower stands while the spool is empty. It is written before the last segment leaves the spool, so that at
 * every moment one of both says it.
 */
import { join } from 'node:path'
import { z } from 'zod'
import { hasCode, toHoldfastError } from '../errors.ts'
import { type Lsn, toLsn } from '../history/lsn.ts'
import { decodeDocument, encodeDocument } from '../repository/document.ts'
import type { FollowPosition } from '../source/follower.ts'
import type { LocalFiles } from './spool/local-files.ts'
import { followPosition } from './spool/spool-footer.ts'

export interface SavedPosition {
  /** The state at which the follower stands. */
  readonly lsn: Lsn
  readonly position: FollowPosition
  /** The capture was stopped in order. Otherwise the database is audited before long. */
  readonly clean: boolean
  /** Until when nothing else was committed, as far as known; milliseconds since 1970. */
  readonly lookedAt?: number | undefined
}

const fileName = 'position.json'
const largest = 65_536

const document = z.strictObject({
  lsn: z.int().min(1).transform(toLsn),
  position: followPosition,
  clean: z.boolean(),
  lookedAt: z.number().optional(),
})

export class PositionFile {
  readonly #files: LocalFiles
  readonly #folder: string
  #writing: Promise<void> = Promise.resolve()

  constructor(files: LocalFiles, folder: string) {
    this.#files = files
    this.#folder = folder
  }

  /** Undefined if there is none. One that is damaged is as good as none, since the repository knows the state; but it is said. */
  async read(warn: (message: string) => void): Promise<SavedPosition | undefined> {
    const path = join(this.#folder, fileName)
    if (!(await this.#files.list(this.#folder)).includes(fileName)) return undefined
    const file = await this.#files.open(path)
    try {
      return decodeDocument('position', document, await file.read(0, Math.min(file.size, largest)), path)
    } catch (thrown) {
      if (hasCode(thrown, 'INTEGRITY', 'FORMAT_TOO_NEW')) {
        warn(`Where following stopped cannot be told: ${thrown.message}`)
        return undefined
      }
      throw toHoldfastError(thrown, path)
    } finally {
      await file.close()
    }
  }

  /** Durable when it resolves. One after the other: whoever uploads writes it, and whoever looks at the database. */
  write(saved: SavedPosition): Promise<void> {
    const written = this.#writing.then(() => this.#write(saved))
    this.#writing = written.catch(() => {})
    return written
  }

  async #write(saved: SavedPosition): Promise<void> {
    const path = join(this.#folder, fileName)
    const temporary = `${path}.tmp`
    try {
      const file = await this.#files.create(temporary)
      try {
        await file.write(encodeDocument('position', saved))
        await file.sync()
      } finally {
        await file.close()
      }
      await this.#files.rename(temporary, path)
      await this.#files.syncFolder(this.#folder)
    } catch (thrown) {
      throw toHoldfastError(thrown, path)
    }
  }
}
