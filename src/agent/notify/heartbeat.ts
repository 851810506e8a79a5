import { randomUUID } from 'node:crypto'
import type { Clock } from '../../capture/clock.ts'
import { systemClock } from '../../capture/clock.ts'
import { hasCode, toHoldfastError } from '../../errors.ts'
import type { Operation, OperationStart } from '../journal/operation.ts'
import { DeliveryError } from './channels/delivery-error.ts'
import { placeOf, sendHttp } from './channels/send-http.ts'
import { defaultTimeoutMs } from './channels/webhook.ts'
import type { Delivery } from './delivery/channel-queue.ts'
import { DeliveryRecord } from './delivery/delivery-record.ts'

export interface HeartbeatSettings {
  /** Unique, for the log and for metrics. */
  readonly name: string
  /** Address of the check. `/start` and `/fail` are put behind its path. */
  readonly url: string
  /** Only operations of this database; default: of all. */
  readonly database?: string | undefined
  /** Only those that this schedule asked for; default: all that any schedule asked for. */
  readonly schedule?: string | undefined
  /** It is told so often that the agent lives and all is well, and of no operation, in milliseconds; default: of operations. */
  readonly everyMs?: number | undefined
  /** For a request, in milliseconds; default 10 s. */
  readonly timeoutMs?: number | undefined
}

export interface HeartbeatOptions {
  readonly clock?: Clock | undefined
  readonly onDelivery?: ((delivery: Delivery) => void) | undefined
}

type Signal = 'start' | 'success' | 'fail'

interface Ping {
  readonly signal: Signal
  readonly run: string
  readonly body: string
}

const mostWaiting = 20
const mostAttempts = 4
const firstBackoffMs = 2000
/** healthchecks.io keeps the first 100 kB of a body; the end of the log says more, and less of it is enough. */
const mostBody = 10_000

/**
 * Tells a service such as healthchecks.io that a scheduled operation began, succeeded or failed. The service raises the alarm
 * when it hears nothing: also when this machine is gone.
 */
export class Heartbeat implements AsyncDisposable {
  readonly settings: HeartbeatSettings
  /** How sending has gone so far. */
  readonly deliveries = new DeliveryRecord()
  readonly #url: URL
  readonly #options: HeartbeatOptions
  readonly #clock: Clock
  readonly #stop = new AbortController()
  readonly #waiting: Ping[] = []
  #running: Promise<void> | undefined

  constructor(settings: HeartbeatSettings, options: HeartbeatOptions = {}) {
    this.settings = settings
    this.#url = new URL(settings.url)
    this.#options = options
    this.#clock = options.clock ?? systemClock
  }

  /** Where it goes, without what is secret in it. */
  get target(): string {
    return placeOf(this.#url)
  }

  concerns({ database, schedule, trigger }: OperationStart): boolean {
    if (trigger !== 'schedule' && trigger !== 'catch-up') return false
    const { settings } = this
    if (settings.everyMs !== undefined) return false
    return (
      (settings.database === undefined || settings.database === database) &&
      (settings.schedule === undefined || settings.schedule === schedule)
    )
  }

  /** @returns what stands for this run in {@link ended} */
  started(): string {
    const run = randomUUID()
    this.#offer({ signal: 'start', run, body: '' })
    return run
  }

  /** @param log what the operation said, of which the end is sent with a failure */
  ended(
    run: string,
    { outcome, message = '', warnings = [] }: Pick<Operation, 'outcome' | 'message' | 'warnings'>,
    log = '',
  ): void {
    // One that was interrupted will be caught up: nothing is said, and the service waits as long as it was told to.
    if (outcome === 'interrupted') return
    const isWell = outcome === 'succeeded' || outcome === 'warning'
    const text = [log, message, ...warnings].filter((part) => part !== '').join('\n')
    this.#offer({ signal: isWell ? 'success' : 'fail', run, body: text.slice(-mostBody) })
  }

  /** The agent lives, and all is well. One that could not be sent is not sent later: the next one says it too. */
  alive(): void {
    this.#waiting.splice(0)
    this.#offer({ signal: 'success', run: randomUUID(), body: '' })
  }

  /** Sends one ping at once, without a second attempt. @throws DeliveryError */
  async ping(signal: Signal, abort: AbortSignal): Promise<void> {
    await this.#send({ signal, run: randomUUID(), body: '' }, abort)
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    await this.#running
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  #offer(ping: Ping): void {
    if (this.#stop.signal.aborted) return
    this.#waiting.push(ping)
    if (this.#waiting.length > mostWaiting) this.#waiting.shift()
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
    })
  }

  async #run(): Promise<void> {
    try {
      for (let ping = this.#waiting.shift(); ping !== undefined; ping = this.#waiting.shift()) {
        await this.#sendAgain(ping, this.#stop.signal)
      }
    } catch (error) {
      if (!hasCode(error, 'ABORTED')) throw error
    }
  }

  async #sendAgain(ping: Ping, signal: AbortSignal): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await this.#send(ping, signal)
        this.#report('sent')
        return
      } catch (thrown) {
        if (hasCode(thrown, 'ABORTED')) throw thrown
        const { message } = toHoldfastError(thrown)
        const retryable = thrown instanceof DeliveryError && thrown.retryable && attempt < mostAttempts
        this.#report(retryable ? 'retrying' : 'failed', message)
        if (!retryable) return
        await this.#clock.sleep(Math.max(firstBackoffMs * 2 ** (attempt - 1), thrown.retryAfterMs ?? 0), signal)
      }
    }
  }

  async #send({ signal: what, run, body }: Ping, signal: AbortSignal): Promise<void> {
    const url = new URL(this.#url)
    if (what !== 'success') url.pathname = `${url.pathname.replace(/\/$/, '')}/${what}`
    url.searchParams.set('rid', run)
    const { timeoutMs = defaultTimeoutMs } = this.settings
    await sendHttp({ url, headers: { 'content-type': 'text/plain' }, body, timeoutMs, signal })
  }

  #report(result: Delivery['result'], problem?: string): void {
    const delivery = {
      channel: this.settings.name,
      result,
      at: this.#clock.now(),
      ...(problem === undefined ? {} : { problem }),
    }
    this.deliveries.note(delivery)
    this.#options.onDelivery?.(delivery)
  }
}
