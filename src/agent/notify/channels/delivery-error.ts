import { HoldfastError } from '../../../errors.ts'

export interface DeliveryDetails {
  readonly cause?: unknown
  readonly hint?: string | undefined
  /** How long the receiver asks to be left alone, in milliseconds. */
  readonly retryAfterMs?: number | undefined
  /** The receiver takes messages, but none as large. */
  readonly tooLarge?: boolean | undefined
}

/** A message that did not get through. */
export class DeliveryError extends HoldfastError {
  override readonly name = 'DeliveryError'
  /** The same message may get through later. */
  readonly retryable: boolean
  readonly retryAfterMs: number | undefined
  /** A smaller message may get through. */
  readonly tooLarge: boolean

  constructor(message: string, object: string, retryable: boolean, details: DeliveryDetails = {}) {
    super('NOTIFICATION_FAILED', message, { object, cause: details.cause, hint: details.hint })
    this.retryable = retryable
    this.retryAfterMs = details.retryAfterMs
    this.tooLarge = details.tooLarge ?? false
  }
}
