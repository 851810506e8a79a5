import { createHash } from 'node:crypto'
import type { Clock } from '../../../capture/clock.ts'
import { hasCode, toHoldfastError } from '../../../errors.ts'
import type { Alert } from '../alert.ts'
import type { Channel } from '../channels/channel.ts'
import { DeliveryError } from '../channels/delivery-error.ts'
import type { Message } from '../message.ts'
import { DeliveryRecord } from './delivery-record.ts'
import { nextUp } from './next-up.ts'
import { dispatch, type RateLimit } from './rate-limit.ts'
import { mostTogether, worstOf } from './worst-of.ts'

/** `retrying`: it did not get through, and will be tried again. `failed`: it is given up. */
export const deliveryResults = ['sent', 'retrying', 'failed'] as const
export type DeliveryResult = (typeof deliveryResults)[number]

export interface Delivery {
  readonly channel: string
  readonly result: DeliveryResult
  /** Milliseconds since 1970. */
  readonly at: number
  /** What went wrong, in one sentence. */
  readonly problem?: string | undefined
}

export interface ChannelQueueOptions {
  readonly name: string
  readonly channel: Channel
  readonly limit: RateLimit
  readonly clock: Clock
  readonly onDelivery: (delivery: Delivery) => void
  /** What waits has changed. */
  readonly onChange: () => void
}

/** As many alerts wait at most; of more, the oldest go, and are counted. */
const mostWaiting = 500
const giveUpAfterMs = 24 * 3_600_000
const firstBackoffMs = 1000
const longestBackoffMs = 5 * 60_000

/** Carries alerts to one channel, one message after the other, for as long as it takes. Nobody waits for it. */
export class ChannelQueue {
  readonly name: string
  readonly channel: Channel
  readonly #options: ChannelQueueOptions
  /** How sending has gone so far. */
  readonly deliveries = new DeliveryRecord()
  readonly #stop = new AbortController()
  #waiting: Alert[] = []
  #dropped = 0
  #sentAt: number[] = []
  /** In a row. */
  #failures = 0
  readonly #failuresOf = new WeakMap<Alert, number>()
  /** So many alerts are told in one message, as far as the receiver takes them. */
  #most = mostTogether
  #running: Promise<void> | undefined

  constructor(options: ChannelQueueOptions) {
    this.name = options.name
    this.channel = options.channel
    this.#options = options
  }

  /** What has not been sent yet, oldest first. */
  get waiting(): readonly Alert[] {
    return this.#waiting
  }

  /** Takes over alerts to be sent, and returns at once. */
  offer(alerts: readonly Alert[]): void {
    if (alerts.length === 0) return
    this.#waiting.push(...alerts)
    const excess = this.#waiting.length - mostWaiting
    if (excess > 0) {
      this.#waiting.splice(0, excess)
      this.#dropped += excess
    }
    if (this.#stop.signal.aborted) return
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
    })
  }

  /** Ends what is being sent; what waits stays in {@link waiting}. */
  async stop(): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  /** Resolves when nothing waits any more, or sending stopped. */
  async idle(): Promise<void> {
    await this.#running
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop
    const { clock, limit } = this.#options
    try {
      while (this.#waiting.length > 0 && !signal.aborted) {
        const up = nextUp(this.#waiting, (alert) => this.#failuresOf.get(alert) ?? 0)
        const next = dispatch(up, this.#sentAt, clock.now(), limit)
        if (next.do === 'wait') await clock.sleep(Math.max(0, next.until - clock.now()), signal)
        else await this.#send(next.alerts, signal)
      }
    } catch (error) {
      if (!hasCode(error, 'ABORTED')) throw error
    }
  }

  async #send(alerts: readonly Alert[], signal: AbortSignal): Promise<void> {
    const { clock } = this.#options
    const dropped = this.#dropped
    const { told, counted } = worstOf(alerts, this.#most)
    const taken = [...told, ...counted]
    const message = messageOf(told, counted.length + dropped, clock.now())
    try {
      await this.#options.channel.send(message, messageId(taken), signal)
    } catch (thrown) {
      if (!isTooLarge(thrown)) await this.#failed(thrown, taken, signal)
      else if (told.length > 1) this.#most = Math.floor(told.length / 2)
      else await this.#refused(thrown, told, signal)
      return
    }
    this.#failures = 0
    // It may have been one long alert that was too large.
    this.#most = Math.min(mostTogether, this.#most * 2)
    const now = clock.now()
    this.#sentAt = [...this.#sentAt.filter((at) => at > now - this.#options.limit.perMs), now]
    if (message.type === 'summary') this.#dropped -= dropped
    this.#done(taken, { result: 'sent' })
  }

  async #failed(thrown: unknown, alerts: readonly Alert[], signal: AbortSignal): Promise<void> {
    // It stays in the queue, for the next start.
    if (signal.aborted) return
    const error = toHoldfastError(thrown)
    const { clock } = this.#options
    const { message: problem } = error
    const isOld = alerts.every(({ at }) => clock.now() - at > giveUpAfterMs)
    if (!(error instanceof DeliveryError && error.retryable) || isOld) {
      this.#done(alerts, { result: 'failed', problem })
      return
    }
    this.#failures += 1
    for (const alert of alerts) this.#failuresOf.set(alert, (this.#failuresOf.get(alert) ?? 0) + 1)
    this.#report({ result: 'retrying', problem })
    await clock.sleep(Math.max(this.#backoffMs(), error.retryAfterMs ?? 0), signal)
  }

  /** Even alone it is too large. Of the others, many in one message may not be. */
  async #refused(thrown: unknown, alone: readonly Alert[], signal: AbortSignal): Promise<void> {
    if (signal.aborted) return
    this.#most = mostTogether
    this.#done(alone, { result: 'failed', problem: toHoldfastError(thrown).message })
    if (this.#waiting.length === 0) return
    // A receiver that takes nothing at all must not be asked without end.
    this.#failures += 1
    await this.#options.clock.sleep(this.#backoffMs(), signal)
  }

  #backoffMs(): number {
    const backoff = Math.min(longestBackoffMs, firstBackoffMs * 2 ** (this.#failures - 1))
    // From half of it to all of it, so that many agents do not come back at once.
    return backoff * (0.5 + this.#options.clock.random() / 2)
  }

  #done(alerts: readonly Alert[], outcome: Pick<Delivery, 'result' | 'problem'>): void {
    const done = new Set(alerts)
    this.#waiting = this.#waiting.filter((alert) => !done.has(alert))
    this.#report(outcome)
    this.#options.onChange()
  }

  #report(outcome: Pick<Delivery, 'result' | 'problem'>): void {
    const delivery = { channel: this.name, at: this.#options.clock.now(), ...outcome }
    this.deliveries.note(delivery)
    this.#options.onDelivery(delivery)
  }
}

function isTooLarge(thrown: unknown): boolean {
  return thrown instanceof DeliveryError && thrown.tooLarge
}

function messageOf(alerts: readonly Alert[], dropped: number, at: number): Message {
  const [only, another] = alerts
  if (only !== undefined && another === undefined && dropped === 0) return { type: 'alert', alert: only }
  return { type: 'summary', alerts, dropped, at }
}

/** The same for the same alerts, also after a restart: receivers can tell a message that comes twice. */
function messageId(alerts: readonly Alert[]): string {
  const hash = createHash('sha256')
  for (const { incident, state, reminder, at } of alerts) hash.update(`${incident} ${state} ${reminder} ${at}\n`)
  return `msg_${hash.digest('hex').slice(0, 32)}`
}
