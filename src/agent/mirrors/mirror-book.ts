import type { Repository } from '../../repository/repository.ts'
import type { MirrorConfig } from '../config/config.ts'
import type { Journal } from '../journal/journal.ts'
import { lastComplete } from '../journal/mirror-runs.ts'
import type { Metrics } from '../metrics/metrics.ts'
import { mirrorFailureKey, mirrorOverdueKey, observeMirror } from '../notify/conditions/mirror.ts'
import type { Notifier } from '../notify/notifier.ts'
import type { Scheduler } from '../schedule/scheduler.ts'

export interface MirrorBookContext {
  readonly journal: Pick<Journal, 'operations'>
  readonly repository: Pick<Repository, 'url'>
  readonly scheduler: () => Pick<Scheduler, 'set'>
  readonly notifier: Pick<Notifier, 'observe'>
  readonly metrics: Pick<Metrics, 'setMirror'>
  readonly now: () => number
}

/** Where a mirror stands. Times are in milliseconds since 1970. */
export interface MirrorFacts {
  readonly config: MirrorConfig
  /** All that the repository held then is there, as far as this agent knows. */
  readonly completeAt: number | undefined
}

/** Of all mirrors together, so many of the last runs are looked at. */
const mostRead = 1000

interface Entry {
  config: MirrorConfig
  completeAt: number | undefined
  readonly since: number
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
        this.#entries.set(config.name, { config, completeAt, since: now() })
        scheduler().set(config.name, [config.schedule], { since: completeAt })
      } else {
        known.config = config
        scheduler().set(config.name, [config.schedule])
      }
    }
  }

  /** @param at when what is there now was listed */
  completed(name: string, at: number): void {
    const entry = this.#entries.get(name)
    if (entry !== undefined) entry.completeAt = at
  }

  observe(): void {
    const { notifier, now } = this.#context
    for (const { config, completeAt, since } of this.#entries.values())
      notifier.observe(observeMirror({ mirror: config.name, schedule: config.schedule, completeAt, since }, now()))
  }

  measure(): void {
    for (const [name, { completeAt }] of this.#entries) this.#context.metrics.setMirror(name, completeAt)
  }

  /** From the history of this machine: a place that is away need not be asked. */
  async #lastComplete(name: string): Promise<number | undefined> {
    const { journal, repository } = this.#context
    const found = await journal.operations({ kind: 'mirror', repository: repository.url, limit: mostRead })
    return lastComplete(found).get(name)
  }
}
