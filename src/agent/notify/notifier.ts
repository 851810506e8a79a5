import { isDeepStrictEqual } from 'node:util'
import { type Clock, systemClock } from '../../capture/clock.ts'
import { hasCode, toHoldfastError } from '../../errors.ts'
import type { Alert } from './alert.ts'
import type { Channel } from './channels/channel.ts'
import { AlertFile } from './delivery/alert-file.ts'
import { ChannelQueue, type Delivery } from './delivery/channel-queue.ts'
import type { DeliveryRecord } from './delivery/delivery-record.ts'
import { defaultRateLimit, type RateLimit } from './delivery/rate-limit.ts'
import { advance, incidentOf, type Observation } from './engine/advance.ts'
import { type AlertSettings, defaultAlertSettings } from './engine/alert-settings.ts'
import type { AlertState } from './engine/alert-state.ts'
import { type AlertFilter, wants } from './filter.ts'

export interface ChannelSetup {
  /** Unique, and the same after a restart. */
  readonly name: string
  readonly channel: Channel
  /** What the channel is made of: while that is the same, a new configuration leaves the channel as it is. Default: the channel itself. */
  readonly settings?: unknown
  /** What it is told; default: everything. */
  readonly filter?: AlertFilter | undefined
  /** Default: ten messages in ten minutes. */
  readonly limit?: RateLimit | undefined
}

export interface NotifierOptions {
  /** The agent's state folder. */
  readonly folder: string
  readonly channels: readonly ChannelSetup[]
  readonly settings?: AlertSettings | undefined
  readonly clock?: Clock | undefined
  /** For each attempt to send a message. */
  readonly onDelivery?: ((delivery: Delivery) => void) | undefined
  /** For each alert, whether or not a channel wants it. */
  readonly onAlert?: ((alert: Alert) => void) | undefined
  /** What an operator should know of notifying itself. */
  readonly warn?: ((message: string) => void) | undefined
}

/** How a channel is doing. */
export interface ChannelStatus {
  readonly name: string
  readonly type: Channel['type']
  readonly target: string
  readonly waiting: number
  readonly deliveries: DeliveryRecord
}

/** Also when nothing is due, since the clock may have jumped meanwhile. */
const longestSleepMs = 60_000

/**
 * Turns what is seen into alerts and carries them to the channels. Nothing here makes anybody wait, or throws because a channel
 * or the state folder fails.
 */
export class Notifier implements AsyncDisposable {
  readonly #options: NotifierOptions
  readonly #clock: Clock
  readonly #file: AlertFile
  readonly #stop = new AbortController()
  #queues: readonly ChannelQueue[] = []
  #setups: ReadonlyMap<string, ChannelSetup> = new Map()
  #state: AlertState
  #nextAt: number | undefined
  /** Whether `#nextAt` is known. */
  #isUpToDate = false
  #ticking: Promise<void> | undefined
  #isDirty = false
  #saving: Promise<void> | undefined
  #saveProblem: string | undefined

  private constructor(options: NotifierOptions, file: AlertFile, state: AlertState) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#file = file
    this.#state = state
  }

  /** Goes on with what is saved in the folder. What had not been sent is sent now. @throws ACCESS_DENIED, INTERNAL */
  static async open(options: NotifierOptions): Promise<Notifier> {
    const file = new AlertFile(options.folder)
    const { alerts, waiting, problem } = await file.read()
    if (problem !== undefined) options.warn?.(`What is known of alerts begins anew. ${problem}`)
    const notifier = new Notifier(options, file, alerts)
    notifier.#setUp(options.channels, waiting)
    notifier.observe([])
    return notifier
  }

  /** What is wrong now and was told, oldest first. */
  get firing(): readonly Alert[] {
    const now = this.#clock.now()
    return Object.values(this.#state)
      .flatMap((entry): Alert[] => {
        if (entry.phase !== 'firing' && entry.phase !== 'settling') return []
        const { condition, since, reminder, times } = entry
        return [{ ...condition, state: 'firing', incident: incidentOf(entry), at: now, since, reminder, times }]
      })
      .sort((a, b) => a.since - b.since)
  }

  /** Since when something is wrong that was not told yet, in milliseconds since 1970; undefined if it was, or nothing is. */
  pendingSince(key: string): number | undefined {
    const entry = this.#state[key]
    return entry?.phase === 'pending' ? Math.min(entry.since, this.#clock.now()) : undefined
  }

  get channels(): readonly ChannelStatus[] {
    return this.#queues.map(({ name, channel: { type, target }, waiting, deliveries }) => {
      return { name, type, target, waiting: waiting.length, deliveries }
    })
  }

  /** Why what is known cannot be saved: after a restart, alerts would be told again. Undefined if it is saved. */
  get saveProblem(): string | undefined {
    return this.#saveProblem
  }

  observe(observations: readonly Observation[]): void {
    const now = this.#clock.now()
    // A thousand databases tell again and again that all is well: what changes nothing must not go through all that is known.
    const isNews = observations.some((each) => each.what !== 'absent' || Object.hasOwn(this.#state, each.key))
    if (!isNews && this.#isUpToDate && (this.#nextAt === undefined || now < this.#nextAt)) return
    this.#isUpToDate = true
    const { state, alerts, nextAt } = advance(
      this.#state,
      observations,
      now,
      this.#options.settings ?? defaultAlertSettings,
    )
    const changed = alerts.length > 0 || JSON.stringify(state) !== JSON.stringify(this.#state)
    this.#state = state
    this.#nextAt = nextAt
    for (const alert of alerts) this.#options.onAlert?.(alert)
    for (const queue of this.#queues)
      queue.offer(alerts.filter((alert) => wants(this.#setups.get(queue.name)?.filter ?? {}, alert)))
    if (changed) this.#save()
    this.#tick()
  }

  /**
   * Other channels from now on. One that is as before goes on, with what is known of it; what waits for one of that name that is made of other
   * settings waits for its successor.
   */
  async reconfigure(channels: readonly ChannelSetup[]): Promise<void> {
    const former = this.#queues
    const stays = ({ name }: ChannelQueue) => channels.some((each) => each.name === name && this.#isAsBefore(each))
    const staying = former.filter(stays)
    await Promise.all(former.filter((queue) => !staying.includes(queue)).map((queue) => queue.stop()))
    this.#setUp(channels, waitingOf(former), staying)
    this.#save()
  }

  /** Resolves when every channel has sent what it had to, or given it up; waits at most so long, in milliseconds. */
  async flush(waitMs: number): Promise<void> {
    const done = new AbortController()
    const idle = Promise.all(this.#queues.map((queue) => queue.idle())).finally(() => done.abort())
    await Promise.race([idle, this.#sleep(waitMs, done.signal)])
  }

  /** Ends what is being sent, and saves what was not. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await Promise.all(this.#queues.map((queue) => queue.stop()))
    await this.#ticking
    this.#save()
    await this.#saving
  }

  #setUp(
    channels: readonly ChannelSetup[],
    waiting: Readonly<Record<string, readonly Alert[]>>,
    staying: readonly ChannelQueue[] = [],
  ): void {
    this.#setups = new Map(channels.map((setup) => [setup.name, setup]))
    const onDelivery = (delivery: Delivery) => this.#delivered(delivery)
    const onChange = () => this.#save()
    const fresh: ChannelQueue[] = []
    this.#queues = channels.map(({ name, channel, limit = defaultRateLimit }) => {
      const known = staying.find((queue) => queue.name === name)
      if (known !== undefined) return known
      const queue = new ChannelQueue({ name, channel, limit, clock: this.#clock, onDelivery, onChange })
      fresh.push(queue)
      return queue
    })
    for (const queue of fresh) queue.offer(waiting[queue.name] ?? [])
  }

  #isAsBefore({ name, channel, settings, limit }: ChannelSetup): boolean {
    const before = this.#setups.get(name)
    if (before === undefined) return false
    const isSame = settings === undefined ? channel === before.channel : isDeepStrictEqual(settings, before.settings)
    return isSame && isDeepStrictEqual(limit, before.limit)
  }

  #delivered(delivery: Delivery): void {
    this.#options.onDelivery?.(delivery)
    if (delivery.problem === undefined) return
    const verdict = delivery.result === 'failed' ? 'is given up' : 'will be tried again'
    this.#options.warn?.(
      `A notification through ${delivery.channel} did not get through and ${verdict}: ${delivery.problem}`,
    )
  }

  /** Comes back when something is due though nothing was seen. */
  #tick(): void {
    if (this.#ticking !== undefined || this.#nextAt === undefined || this.#stop.signal.aborted) return
    this.#ticking = this.#sleepAndLook().finally(() => {
      this.#ticking = undefined
      this.#tick()
    })
  }

  async #sleepAndLook(): Promise<void> {
    const wait = Math.max(0, (this.#nextAt ?? 0) - this.#clock.now())
    await this.#sleep(Math.min(wait, longestSleepMs), this.#stop.signal)
    if (!this.#stop.signal.aborted) this.observe([])
  }

  async #sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
    try {
      await this.#clock.sleep(milliseconds, signal)
    } catch (error) {
      if (!hasCode(error, 'ABORTED')) throw error
    }
  }

  /** Saves soon; what changes while it is being saved is saved next. */
  #save(): void {
    this.#isDirty = true
    this.#saving ??= this.#saveAll().finally(() => {
      this.#saving = undefined
    })
  }

  async #saveAll(): Promise<void> {
    while (this.#isDirty) {
      this.#isDirty = false
      try {
        await this.#file.write({ alerts: this.#state, waiting: waitingOf(this.#queues) })
        this.#saveProblem = undefined
      } catch (thrown) {
        const { message } = toHoldfastError(thrown)
        if (this.#saveProblem === undefined) this.#options.warn?.(`What is known of alerts cannot be saved: ${message}`)
        this.#saveProblem = message
      }
    }
  }
}

function waitingOf(queues: readonly ChannelQueue[]): Record<string, readonly Alert[]> {
  return Object.fromEntries(queues.map(({ name, waiting }) => [name, waiting]))
}
