import { execFileSync } from 'node:child_process'
import { rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '../../support/temporary-folder.ts'

/** A file system of its own, of a few megabytes. */
export class SmallDisk implements Disposable {
  readonly #folder = temporaryFolder()
  readonly path = this.#folder.path

  constructor(megabytes: number) {
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', this.path], { stdio: 'pipe' })
    } catch (error) {
      this.#folder[Symbol.dispose]()
      throw error
    }
  }

  file(name: string): string {
    return join(this.path, name)
  }

  /** Leaves `bytes` free, rounded up to whole blocks. */
  fill(bytes: number): void {
    this.free()
    const { bavail, bsize } = statfsSync(this.path)
    writeFileSync(this.file('ballast'), Buffer.alloc(Math.max(0, bavail - Math.ceil(bytes / bsize)) * bsize))
  }

  free(): void {
    rmSync(this.file('ballast'), { force: true })
  }

  makeReadOnly(): void {
    execFileSync('mount', ['-o', 'remount,ro', this.path], { stdio: 'pipe' })
  }

  [Symbol.dispose](): void {
    execFileSync('umount', [this.path])
    this.#folder[Symbol.dispose]()
  }
}

/** The reason to skip tests that need one, or false. In CI there is no excuse. */
export function whyNoSmallDisk(): string | false {
  try {
    using _disk = new SmallDisk(1)
    return false
  } catch (error) {
    if (process.env['HOLDFAST_REQUIRE_PARTS'] === '1') throw error
    return 'mounting a tmpfs is not permitted here'
  }
}
