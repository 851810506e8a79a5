import type { Delivery } from './channel-queue.ts'

/** How the sending through something has gone so far. Times are in milliseconds since 1970. */
export class DeliveryRecord {
  #last: Delivery | undefined
  #lastSentAt: number | undefined
  #lastFailure: Delivery | undefined
  #failingSince: number | undefined

  /** How the last attempt ended; undefined if there was none. */
  get last(): Delivery | undefined {
    return this.#last
  }

  get lastSentAt(): number | undefined {
    return this.#lastSentAt
  }

  /** The last attempt that did not get through. */
  get lastFailure(): Delivery | undefined {
    return this.#lastFailure
  }

  /** When the first of the attempts was that have failed since something got through; undefined if the last one got through. */
  get failingSince(): number | undefined {
    return this.#failingSince
  }

  note(delivery: Delivery): void {
    this.#last = delivery
    if (delivery.result === 'sent') {
      this.#lastSentAt = delivery.at
      this.#failingSince = undefined
    } else {
      this.#lastFailure = delivery
      this.#failingSince ??= delivery.at
    }
  }
}
