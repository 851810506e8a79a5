import { toHoldfastError } from '../../../errors.ts'
import type { AgentLog } from '../../agent-log.ts'
import type { NotifyConfig } from '../../config/config.ts'
import { expiringKey, observeExpiring } from '../conditions/expiring.ts'
import type { Observation } from '../engine/advance.ts'
import type { Notifier } from '../notifier.ts'
import { certificateEnd } from './certificate-end.ts'
import { tlsEndpoints } from './tls-endpoints.ts'

export interface CertificateWatchContext {
  readonly notifier: Pick<Notifier, 'observe' | 'firing'>
  readonly log: Pick<AgentLog, 'debug'>
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/** Each server is asked so often. */
const everyMs = 24 * 3_600_000
const timeoutMs = 10_000

/** Looks, once a day, how long the certificates of the servers are valid through which somebody is notified. */
export class CertificateWatch {
  readonly #context: CertificateWatchContext
  readonly #askedAt = new Map<string, number>()

  constructor(context: CertificateWatchContext) {
    this.#context = context
  }

  /** Never fails: a server that cannot be reached shows when something is to be sent. */
  async look(notify: readonly NotifyConfig[], signal: AbortSignal): Promise<void> {
    const { notifier, log, now } = this.#context
    const endpoints = tlsEndpoints(notify)
    const keys = new Set(endpoints.map(({ name }) => expiringKey(name)))
    const observations: Observation[] = notifier.firing
      .filter(({ kind, key }) => kind === 'expiring' && !keys.has(key))
      .map(({ key }) => ({ what: 'absent', key }))
    for (const endpoint of endpoints) {
      const { name } = endpoint
      const askedAt = this.#askedAt.get(name)
      if (askedAt !== undefined && now() >= askedAt && now() < askedAt + everyMs) continue
      this.#askedAt.set(name, now())
      try {
        const endsAt = await certificateEnd(endpoint, AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]))
        if (endsAt !== undefined) observations.push(...observeExpiring(name, endsAt, now()))
      } catch (thrown) {
        if (signal.aborted) return
        log.debug(`The certificate of ${name} could not be looked at. ${toHoldfastError(thrown).message}`)
      }
    }
    if (observations.length > 0) notifier.observe(observations)
  }
}
