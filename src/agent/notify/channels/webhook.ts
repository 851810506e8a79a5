import { createHmac } from 'node:crypto'
import { type Message, messageDocument, type Sender } from '../message.ts'
import type { Channel } from './channel.ts'
import { placeOf, sendHttp } from './send-http.ts'

export interface WebhookSettings {
  readonly url: string
  /** Signs each message. `whsec_…` is base64, as webhook services give it; all else is taken as it is. */
  readonly secret?: string | undefined
  /** More headers, such as `authorization`. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** For all of a request, in milliseconds; default 10 s. */
  readonly timeoutMs?: number | undefined
}

export const defaultTimeoutMs = 10_000

/** POSTs messages as JSON, signed as the Standard Webhooks specification (standardwebhooks.com) says. */
export function webhook(settings: WebhookSettings, sender: Sender, now: () => number = Date.now): Channel {
  const url = new URL(settings.url)
  return {
    type: 'webhook',
    target: placeOf(url),
    send: async (message: Message, id: string, signal: AbortSignal) => {
      const body = JSON.stringify(messageDocument(message, id, sender))
      const timestamp = Math.floor(now() / 1000)
      const { secret, headers, timeoutMs = defaultTimeoutMs } = settings
      await sendHttp({
        url,
        headers: {
          ...headers,
          'content-type': 'application/json',
          'webhook-id': id,
          'webhook-timestamp': String(timestamp),
          ...(secret === undefined ? {} : { 'webhook-signature': signatureOf(secret, id, timestamp, body) }),
        },
        body,
        timeoutMs,
        signal,
      })
    },
  }
}

/** @param timestamp seconds since 1970 */
export function signatureOf(secret: string, id: string, timestamp: number, body: string): string {
  const key = secret.startsWith('whsec_') ? Buffer.from(secret.slice('whsec_'.length), 'base64') : Buffer.from(secret)
  return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`
}
