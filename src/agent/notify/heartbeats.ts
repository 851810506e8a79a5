import { isDeepStrictEqual } from 'node:util'
import type { Clock } from '../../capture/clock.ts'
import type { NotifyConfig } from '../config/config.ts'
import type { Alert } from './alert.ts'
import { Alive } from './alive.ts'
import { configuredHeartbeats } from './configured.ts'
import type { Delivery } from './delivery/channel-queue.ts'
import type { DeliveryRecord } from './delivery/delivery-record.ts'
import type { Heartbeat } from './heartbeat.ts'

export interface HeartbeatsOptions {
  readonly clock: Clock
  /** For each attempt to send something. */
  readonly onDelivery: (delivery: Delivery) => void
  /** What an operator should know of sending itself. */
  readonly warn: (message: string) => void
}

/** How a heartbeat is doing. */
export interface HeartbeatStatus {
  readonly name: string
  /** Where it goes, without what is secret in it. */
  readonly target: string
  /** Undefined: it goes by operations, of that database and that schedule, or of all. */
  readonly everyMs: number | undefined
  readonly database: string | undefined
  readonly schedule: string | undefined
  readonly deliveries: DeliveryRecord
}

/** The heartbeats of a configuration. */
export class Heartbeats implements AsyncDisposable {
  readonly #options: HeartbeatsOptions
  readonly #alive = new Alive()
  /** Names of those of which it was said that they do not get through. */
  readonly #failing = new Set<string>()
  #all: readonly Heartbeat[]

  constructor(notify: readonly NotifyConfig[], options: HeartbeatsOptions) {
    this.#options = options
    this.#all = this.#configured(notify)
  }

  get all(): readonly Heartbeat[] {
    return this.#all
  }

  get status(): readonly HeartbeatStatus[] {
    return this.#all.map(({ settings: { name, everyMs, database, schedule }, target, deliveries }) => {
      return { name, target, everyMs, database, schedule, deliveries }
    })
  }

  /** Those that stay as they are go on; what the others have not sent is not sent any more. */
  async reconfigure(notify: readonly NotifyConfig[]): Promise<void> {
    const former = this.#all
    const goesOn = (fresh: Heartbeat) => former.find(({ settings }) => isDeepStrictEqual(settings, fresh.settings))
    const all = this.#configured(notify).map((fresh) => goesOn(fresh) ?? fresh)
    this.#all = all
    await Promise.all(former.filter((each) => !all.includes(each)).map((each) => each[Symbol.asyncDispose]()))
  }

  /** Tells those that go by the clock that the agent lives, if all is well. To be called in each round. @param now milliseconds since 1970 */
  tellAlive(firing: readonly Pick<Alert, 'kind' | 'severity'>[], now: number): void {
    this.#alive.tell(this.#all, firing, now)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#all.map((each) => each[Symbol.asyncDispose]()))
  }

  #configured(notify: readonly NotifyConfig[]): readonly Heartbeat[] {
    const { clock } = this.#options
    return configuredHeartbeats(notify, { clock, onDelivery: (delivery) => this.#delivered(delivery) })
  }

  #delivered(delivery: Delivery): void {
    const { onDelivery, warn } = this.#options
    onDelivery(delivery)
    const { channel, result, problem } = delivery
    if (result === 'sent') this.#failing.delete(channel)
    // A service that is away would be told of with every operation.
    if (result !== 'failed' || this.#failing.has(channel)) return
    this.#failing.add(channel)
    warn(`The heartbeat "${channel}" does not get through: ${problem}`)
  }
}
