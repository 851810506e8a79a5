import { stat } from 'node:fs/promises'
import type { SchedulerClock } from '../../agent/schedule/scheduler-clock.ts'
import { systemCode } from '../../storage/local/file-error.ts'

/** A change of the file is noticed within this time … */
const watchMs = 5_000
/** … and is over if the file is still the same after this. */
const settleMs = 1_000

export interface ConfigWatchOptions {
  readonly after: SchedulerClock['after']
  /** What tells one version of the file from another. Default: what the file system says of it. */
  readonly look?: (path: string) => Promise<string>
}

/** Whether a file has become another one. One that is being written may make sense half-way, and mean something else. */
export class ConfigWatch implements Disposable {
  readonly #path: string
  readonly #look: (path: string) => Promise<string>
  readonly #after: SchedulerClock['after']
  /** As it was when it was last told of. */
  #known: string
  #last: string
  #cancel: (() => void) | undefined
  #isOver = false

  private constructor(path: string, first: string, { after, look = versionOf }: ConfigWatchOptions) {
    this.#path = path
    this.#look = look
    this.#after = after
    this.#known = first
    this.#last = first
  }

  /** Resolves when the file may be read: whatever it becomes after that is a change. */
  static async of(path: string, options: ConfigWatchOptions): Promise<ConfigWatch> {
    return new ConfigWatch(path, await (options.look ?? versionOf)(path), options)
  }

  /** Calls back after each change, one before this included. */
  begin(onChange: () => void): void {
    void this.#check(onChange)
  }

  [Symbol.dispose](): void {
    this.#isOver = true
    this.#cancel?.()
  }

  async #check(onChange: () => void): Promise<void> {
    const version = await this.#look(this.#path)
    if (this.#isOver) return
    if (version !== this.#known && version === this.#last) {
      this.#known = version
      onChange()
    }
    this.#last = version
    this.#cancel = this.#after(version === this.#known ? watchMs : settleMs, () => void this.#check(onChange))
  }
}

async function versionOf(path: string): Promise<string> {
  try {
    const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true })
    return [dev, ino, size, mtimeNs, ctimeNs].join(' ')
  } catch (thrown) {
    // Whoever reads it says what that means.
    return systemCode(thrown) ?? String(thrown)
  }
}
