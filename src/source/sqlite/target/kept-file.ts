import { linkSync, renameSync, rmSync } from 'node:fs'
import { removeSidecars } from './sidecars.ts'

/** What a file system answers that has no hard links, or none for this file. */
const noLinks = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'])

/** A second name of the old file while the new one takes its place: so it can be locked, looked after, and put back. */
export class KeptFile implements Disposable {
  readonly path: string

  private constructor(path: string) {
    this.path = path
  }

  /** Undefined where the file system has no hard links. */
  static of(file: string, name: string): KeptFile | undefined {
    try {
      linkSync(file, name)
      return new KeptFile(name)
    } catch (error) {
      if (error instanceof Error && 'code' in error && noLinks.has(String(error.code))) return undefined
      throw error
    }
  }

  /** The old file is under its own name again, and what stood there is gone. */
  putBack(file: string): void {
    renameSync(this.path, file)
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { force: true })
    removeSidecars(this.path)
  }
}
