/**
 * What two processes of Holdfast say to one another. Either may call the other. A call carries one input and brings one
 * value or error; beside it a stream may flow each way, each item only after the receiver has asked for it.
 */
import { z } from 'zod'
import { HoldfastError } from '../errors.ts'
import { errorMessage } from './error-message.ts'

const id = z.int().min(1)
const count = z.int().min(1)

const message = z.discriminatedUnion('type', [
  /** First word of an engine: a host must not work with an engine of another version, as after an upgrade under a running host. */
  z.strictObject({ type: z.literal('hello'), version: z.string() }),
  /** Asks for a sign of life. */
  z.strictObject({ type: z.literal('ping') }),
  /** The answer; also said unasked, now and then, by one who can be stopped, or hang, while calls of the other run. */
  z.strictObject({ type: z.literal('alive') }),

  /** Caller to callee. */
  z.strictObject({ type: z.literal('call'), id, method: z.string(), input: z.unknown() }),
  z.strictObject({ type: z.literal('abort'), id }),
  z.strictObject({ type: z.literal('bodyItem'), id, item: z.unknown() }),
  z.strictObject({ type: z.literal('bodyEnd'), id }),
  z.strictObject({ type: z.literal('bodyFailed'), id, error: errorMessage }),
  z.strictObject({ type: z.literal('outputWanted'), id, count }),

  /** Callee to caller. */
  z.strictObject({ type: z.literal('returned'), id, value: z.unknown() }),
  z.strictObject({ type: z.literal('threw'), id, error: errorMessage }),
  z.strictObject({ type: z.literal('event'), id, event: z.unknown() }),
  z.strictObject({ type: z.literal('outputItem'), id, item: z.unknown() }),
  z.strictObject({ type: z.literal('bodyWanted'), id, count }),
])

export type Message = z.infer<typeof message>

/** Items that may be on their way before the receiver has taken the first. */
export const streamWindow = 4

/** @throws INTERNAL */
export function parseMessage(raw: unknown): Message {
  const parsed = message.safeParse(raw)
  if (parsed.success) return parsed.data
  throw new HoldfastError('INTERNAL', `The engine channel carried something unknown: ${z.prettifyError(parsed.error)}`)
}
