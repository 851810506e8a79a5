import { watch } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { aborted, throwIfAborted } from '../../../util/abort.ts'

const shortestMs = 1
interface Pace {
  readonly firstMs: number
  readonly longestMs: number
}

/** Polling beneath notifications, which some file systems never send: ever more seldom while nothing happens. */
const notifiedPace: Pace = { firstMs: 1000, longestMs: 32_000 }
const polledMs = 100
/** For each file of which this process cannot be notified, its logs are looked at so much less often: with many, no core is busy. */
const perUnwatchedMs = 1
/** Those that are waited for now. */
const unwatched = new Set<Notifier>()

const defaultRestMs = 15_000
/**
 * Polls of databases at rest fall together: a process that follows thousands of them wakes once in this time, not for each.
 */
const togetherMs = 1000

/** As `fs.watch`. It may throw, fail later, or never say anything. */
export type WatchFile = (
  path: string,
  onChange: () => void,
) => { on(event: 'error', listener: () => void): unknown; close(): void }

/** What a look at the log found. `soon`: nothing yet, but it is worth looking again before long. */
export type Look = 'changed' | 'soon' | 'unchanged'

export interface Watched {
  readonly look: () => Look
  /** Again and again while nothing happens, after `restMs`, default 15,000: what is kept at hand for commits may go. */
  readonly rest?: (() => void) | undefined
  readonly restMs?: number | undefined
}

/**
 * Resolves when `look` finds a change, or after `timeoutMs`. Our connection keeps the log from being deleted and made anew, so
 * the `-wal` that is watched remains the log. A change of the file is no commit yet: the wal-index tells, soon afterwards.
 *
 * @throws ABORTED
 */
export async function watchLog(
  databasePath: string,
  { look, rest, restMs = defaultRestMs }: Watched,
  timeoutMs: number,
  signal: AbortSignal | undefined,
  watchFile: WatchFile = watch,
): Promise<void> {
  throwIfAborted(signal)
  const begun = performance.now()
  const end = begun + timeoutMs
  if (look() === 'changed') return
  const bell = new Bell()
  using notifier = new Notifier(watchFile, `${databasePath}-wal`, () => bell.ring())
  // A checkpoint by the application may wait for our reader to move on, with the write lock held: it shows in this file first.
  // Elsewhere than on Linux, watching a file opens it, and closing that would drop SQLite's locks.
  using _ = process.platform === 'linux' ? new Notifier(watchFile, databasePath, () => bell.ring()) : undefined
  // Whatever changed before the file was watched is seen by this look.
  let found = look()
  let delay = found === 'soon' ? shortestMs : notifier.pace.firstMs
  while (found !== 'changed' && performance.now() < end) {
    const wasRung = await bell.wait(Math.min(together(delay), Math.max(0, end - performance.now())), signal)
    found = look()
    if (found === 'unchanged' && performance.now() - begun >= restMs) rest?.()
    delay = wasRung ? shortestMs : Math.min(delay * 2, notifier.pace.longestMs)
    if (!wasRung || found === 'changed') continue
    // A transaction larger than its writer's cache rings for as long as it lasts: no more than a look a millisecond.
    await sleep(shortestMs)
    found = look()
  }
}

/** A little longer, so that it ends with others; short delays as they are. */
function together(delayMs: number): number {
  if (delayMs < togetherMs) return delayMs
  const now = performance.now()
  return Math.ceil((now + delayMs) / togetherMs) * togetherMs - now
}

class Notifier implements Disposable {
  #watcher: ReturnType<WatchFile> | undefined
  #isOver = false

  constructor(watchFile: WatchFile, path: string, onChange: () => void) {
    try {
      this.#watcher = watchFile(path, onChange)
      this.#watcher.on('error', () => this.#giveUp())
    } catch {
      // No notification here, or no more of them (inotify's limit): polling alone will do.
      this.#giveUp()
    }
  }

  get pace(): Pace {
    if (this.#watcher !== undefined) return notifiedPace
    const eachMs = Math.max(polledMs, unwatched.size * perUnwatchedMs)
    return { firstMs: eachMs, longestMs: eachMs }
  }

  #giveUp(): void {
    this.#watcher?.close()
    this.#watcher = undefined
    if (!this.#isOver) unwatched.add(this)
  }

  [Symbol.dispose](): void {
    this.#isOver = true
    this.#watcher?.close()
    this.#watcher = undefined
    unwatched.delete(this)
  }
}

class Bell {
  #rung = false
  #wake: (() => void) | undefined

  ring(): void {
    this.#rung = true
    this.#wake?.()
  }

  /** True if it rang, false when the time is over. @throws ABORTED */
  async wait(timeoutMs: number, signal: AbortSignal | undefined): Promise<boolean> {
    // A signal that fired while nobody listened tells no more.
    throwIfAborted(signal)
    if (!this.#rung) {
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const onAbort = () => reject(aborted(signal))
      this.#wake = resolve
      signal?.addEventListener('abort', onAbort, { once: true })
      const timer = setTimeout(resolve, timeoutMs)
      try {
        await promise
      } finally {
        clearTimeout(timer)
        signal?.removeEventListener('abort', onAbort)
        this.#wake = undefined
      }
    }
    const rang = this.#rung
    this.#rung = false
    return rang
  }
}
