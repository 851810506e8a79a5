import type { Alert } from '../alert.ts'

export interface RateLimit {
  /** So many messages … */
  readonly messages: number
  /** … within so long, in milliseconds. */
  readonly perMs: number
}

export const defaultRateLimit: RateLimit = { messages: 10, perMs: 10 * 60_000 }

/** More than these at once are told in one message. */
const mostSingly = 5

export type Dispatch =
  | { readonly do: 'send'; readonly alerts: readonly Alert[] }
  | { readonly do: 'wait'; readonly until: number }

/**
 * What to do with the alerts that wait, of which there is at least one. The last message that the limit allows takes all that
 * wait with it, so that a storm becomes one summary and nothing is left behind.
 * @param sentAt when messages were sent, ascending, in milliseconds since 1970
 */
export function dispatch(
  waiting: readonly Alert[],
  sentAt: readonly number[],
  now: number,
  limit: RateLimit,
): Dispatch {
  // What was sent in the future was sent before the clock jumped back: it must not block for ever.
  const recent = sentAt.filter((time) => time > now - limit.perMs && time <= now)
  const left = limit.messages - recent.length
  if (left <= 0) return { do: 'wait', until: (recent.at(-limit.messages) ?? now) + limit.perMs }
  const singly = waiting.length === 1 || (waiting.length <= mostSingly && waiting.length < left)
  return { do: 'send', alerts: singly ? waiting.slice(0, 1) : waiting }
}
