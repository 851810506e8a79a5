import { toHoldfastError } from '../../errors.ts'
import type { Repository } from '../../repository/repository.ts'
import { settledWithin } from '../../util/settled-within.ts'
import type { AgentLog } from '../agent-log.ts'
import type { MirrorConfig } from '../config/config.ts'
import type { Journal } from '../journal/journal.ts'
import { lastComplete } from '../journal/mirror-runs.ts'
import type { Metrics } from '../metrics/metrics.ts'
import { mirrorFailureKey, mirrorOverdueKey, observeMirror } from '../notify/conditions/mirror.ts'
import type { Observation } from '../notify/engine/advance.ts'
import type { Notifier } from '../notify/notifier.ts'
import type { Scheduler } from '../schedule/scheduler.ts'
import type { readCompletion } from './read-completion.ts'

export interface MirrorBookContext {
  readonly journal: Pick<Journal, 'operations'>
  readonly repository: Pick<Repository, 'url' | 'id'>
  readonly scheduler: () => Pick<Scheduler, 'set' | 'runNow'>
  readonly notifier: Pick<Notifier, 'observe' | 'firing'>
  readonly metrics: Pick<Metrics, 'setMirror'>
  readonly log: Pick<AgentLog, 'debug'>
  readonly now: () => number
  readonly read: typeof readCompletion
  /** Whether what the repository gets first is still on its way there. */
  readonly isBeginning: () => boolean
}

/** Where a mirror stands. Times are in milliseconds since 1970. */
export interface MirrorFacts {
  readonly config: MirrorConfig
  /** All that the repository held then is there, as far as this agent knows. */
  readonly completeAt: number | undefined
}

/** Of all mirrors together, so many of the last runs are looked at. */
const mostRead = 1000

/** What a mirror says of itself is read so often, since others may have brought it up to date, and more often while it is not as it should be. */
const readMs = 60 * 60_000
const rereadMs = 10 * 60_000
/** A place that is away may take its time to say so. */
const patienceMs = 10_000

interface Entry {
  config: MirrorConfig
  completeAt: number | undefined
  readonly since: number
  /** When this agent last began to bring it up to date; at first, when it began to look after it. */
  triedAt: number
  readAt: number
  isBeingRead: boolean
  /** It was never complete, as far as is known, and nobody has begun to bring it up to date yet. */
  isNew: boolean
}

/** The mirrors that the agent keeps up to date. A mirror's name stands for a database in the schedule: no database can have one like it. */
export class MirrorBook {
  readonly #context: MirrorBookContext
  readonly #entries = new Map<string, Entry>()

  constructor(context: MirrorBookContext) {
    this.#context = context
  }

  get all(): readonly MirrorFacts[] {
    return [...this.#entries.values()]
  }

  find(name: string): MirrorConfig | undefined {
    return this.#entries.get(name)?.config
  }

  /** Looks after these from now on. What was due since a mirror was last complete is caught up, once. */
  async set(mirrors: readonly MirrorConfig[]): Promise<void> {
    const { scheduler, notifier, metrics, now } = this.#context
    const wanted = new Set(mirrors.map(({ name }) => name))
    for (const name of [...this.#entries.keys()]) {
      if (wanted.has(name)) continue
      this.#entries.delete(name)
      scheduler().set(name, [])
      metrics.setMirror(name, undefined)
      notifier.observe([mirrorOverdueKey(name), mirrorFailureKey(name)].map((key) => ({ what: 'absent', key })))
    }
    for (const config of mirrors) {
      const known = this.#entries.get(config.name)
      if (known === undefined) {
        const completeAt = await this.#lastComplete(config.name)
        const since = now()
        const [entry, isNew] = [{ config, completeAt, since }, completeAt === undefined]
        this.#entries.set(config.name, { ...entry, triedAt: since, readAt: since, isBeingRead: false, isNew })
        scheduler().set(config.name, [config.schedule], { since: () => completeAt })
      } else {
        known.config = config
        scheduler().set(config.name, [config.schedule])
      }
    }
  }

  /** @param at when this agent begins to bring it up to date */
  began(name: string, at: number): void {
    const entry = this.#entries.get(name)
    if (entry !== undefined) Object.assign(entry, { triedAt: at, isNew: false })
  }

  /** @param at when what is there now was listed */
  completed(name: string, at: number): void {
    const entry = this.#entries.get(name)
    if (entry !== undefined) entry.completeAt = at
  }

  /** Tells which are behind, after having asked them, now and then; and sees to it that a new one does not wait for its time. Never fails. */
  async look(signal: AbortSignal): Promise<void> {
    const { notifier, now, isBeginning } = this.#context
    const failing = new Set(notifier.firing.map(({ key }) => key))
    const isDue = (entry: Entry): boolean => {
      const isWell =
        !failing.has(mirrorFailureKey(entry.config.name)) && this.#judge(entry).every(({ what }) => what === 'absent')
      return now() < entry.readAt || now() >= entry.readAt + (isWell ? readMs : rereadMs)
    }
    const isNew = (entry: Entry): boolean => entry.isNew && !isBeginning()
    await this.#readAll(
      [...this.#entries.values()].filter((each) => isNew(each) || isDue(each)),
      patienceMs,
      signal,
    )
    for (const entry of this.#entries.values()) notifier.observe(this.#judge(entry))
    if (!signal.aborted) for (const entry of [...this.#entries.values()].filter(isNew)) this.#begin(entry)
  }

  /** Asks all of them now, and waits so long, in milliseconds. Never fails. */
  async freshen(waitMs: number, signal: AbortSignal): Promise<void> {
    await this.#readAll([...this.#entries.values()], waitMs, signal)
  }

  measure(): void {
    for (const [name, { completeAt }] of this.#entries) this.#context.metrics.setMirror(name, completeAt)
  }

  /** The first time, unless somebody else has done it: what it says of itself was asked for just now. */
  #begin(entry: Entry): void {
    entry.isNew = false
    if (entry.completeAt !== undefined) return
    const { name, schedule } = entry.config
    this.#context
      .scheduler()
      .runNow(name, schedule.id, 'schedule')
      .catch(() => {
        // The operation has told of it.
      })
  }

  /** From the history of this machine: a place that is away need not be asked. */
  async #lastComplete(name: string): Promise<number | undefined> {
    const { journal, repository } = this.#context
    const found = await journal.operations({ kind: 'mirror', repository: repository.url, limit: mostRead })
    return lastComplete(found).get(name)
  }

  #judge({ config, completeAt, since }: Entry): readonly Observation[] {
    return observeMirror({ mirror: config.name, schedule: config.schedule, completeAt, since }, this.#context.now())
  }

  /** One that hangs is neither asked again meanwhile nor waited for. */
  async #readAll(entries: readonly Entry[], waitMs: number, signal: AbortSignal): Promise<void> {
    const idle = entries.filter(({ isBeingRead }) => !isBeingRead)
    if (idle.length > 0) await settledWithin(Promise.all(idle.map((entry) => this.#read(entry, signal))), waitMs)
  }

  /** What is away is as it was known; that it cannot be mirrored to is told when that is tried. */
  async #read(entry: Entry, signal: AbortSignal): Promise<void> {
    const { repository, notifier, log, now, read } = this.#context
    const { config, completeAt: known } = entry
    entry.readAt = now()
    entry.isBeingRead = true
    try {
      const found = await read(config.to, repository.id, { signal })
      // What this agent did meanwhile is newer.
      if (found === undefined || entry.completeAt !== known || this.#entries.get(config.name) !== entry) return
      entry.completeAt = found.completeAt
      if ((found.completeAt ?? 0) > entry.triedAt)
        notifier.observe([{ what: 'absent', key: mirrorFailureKey(config.name) }])
    } catch (thrown) {
      if (!signal.aborted)
        log.debug(`How old the mirror at ${config.name} is was not read. ${toHoldfastError(thrown).message}`)
    } finally {
      entry.isBeingRead = false
    }
  }
}
