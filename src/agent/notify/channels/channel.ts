import type { Message } from '../message.ts'

/** A way in which people are told. */
export interface Channel {
  readonly type: 'webhook' | 'email' | 'command'
  /** Where it goes, for people, without secrets: a host, addresses, a program. */
  readonly target: string
  /**
   * Sends a message, once. Bounded in time by itself.
   * @param id the same for each attempt at this message
   * @throws DeliveryError; ABORTED when the signal fires
   */
  send(message: Message, id: string, signal: AbortSignal): Promise<void>
}
