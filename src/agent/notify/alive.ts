import type { Alert } from './alert.ts'
import type { Heartbeat } from './heartbeat.ts'

/** What only warns of other things keeps nothing from being well; commits that wait too long do. */
const unwell: readonly Alert['kind'][] = ['lag', 'spool']

/** Whether everything is followed within its lag, and nothing fails. */
export function isAllWell(firing: readonly Pick<Alert, 'kind' | 'severity'>[]): boolean {
  return firing.every(({ kind, severity }) => severity !== 'critical' && !unwell.includes(kind))
}

/** An agent that was started anew after each crash would otherwise say, with each of its short lives, that all is well. */
const provedMs = 60_000

/** Tells heartbeats that go by the clock that the agent lives and all is well; else it is silent, which raises the alarm. */
export class Alive {
  readonly #toldAt = new Map<string, number>()
  #runsSince: number | undefined

  /** To be called in each round: the agent runs since the first. @param now milliseconds since 1970 */
  tell(
    heartbeats: readonly Pick<Heartbeat, 'settings' | 'alive'>[],
    firing: readonly Pick<Alert, 'kind' | 'severity'>[],
    now: number,
  ): void {
    const runsSince = Math.min(this.#runsSince ?? now, now)
    this.#runsSince = runsSince
    if (!isAllWell(firing)) return
    for (const heartbeat of heartbeats) {
      const { name, everyMs } = heartbeat.settings
      if (everyMs === undefined || now - runsSince < Math.min(provedMs, everyMs)) continue
      const toldAt = this.#toldAt.get(name)
      if (toldAt !== undefined && now >= toldAt && now < toldAt + everyMs) continue
      this.#toldAt.set(name, now)
      heartbeat.alive()
    }
  }
}
