import { randomUUID } from 'node:crypto'
import { HoldfastError, hasCode, toHoldfastError } from '../../errors.ts'
import type { NotifyConfig } from '../config/config.ts'
import { configuredChannels, configuredHeartbeats } from './configured.ts'
import type { Sender } from './message.ts'

/** What became of a test message. */
export interface ChannelTest {
  readonly name: string
  readonly type: NotifyConfig['type']
  /** Where it goes, without secrets. */
  readonly target: string
  readonly durationMs: number
  /** Undefined if it got through. */
  readonly error: HoldfastError | undefined
}

/**
 * Sends a test message through each channel, all at once, and none of them twice. A heartbeat gets a ping of success.
 * @throws USAGE when there is no channel, NAME_NOT_FOUND when none has that name, ABORTED
 */
export async function testChannels(
  notify: readonly NotifyConfig[],
  sender: Sender,
  {
    only,
    now,
    signal,
  }: { readonly only?: string | undefined; readonly now: () => number; readonly signal: AbortSignal },
): Promise<ChannelTest[]> {
  const chosen = only === undefined ? notify : notify.filter(({ name }) => name === only)
  if (notify.length === 0) {
    throw new HoldfastError('USAGE', 'The configuration names nobody to notify.', {
      hint: 'Add a channel below "notify"; docs/alerts.md describes them.',
    })
  }
  if (chosen.length === 0) {
    throw new HoldfastError('NAME_NOT_FOUND', `No channel is called "${only}".`, {
      object: only,
      hint: `There are: ${notify.map(({ name }) => name).join(', ')}.`,
    })
  }
  return await Promise.all(chosen.map((config) => testChannel(config, sender, now, signal)))
}

async function testChannel(
  config: NotifyConfig,
  sender: Sender,
  now: () => number,
  signal: AbortSignal,
): Promise<ChannelTest> {
  const [setup] = configuredChannels([config], sender)
  const [heartbeat] = configuredHeartbeats([config])
  const { name, type } = config
  const target = setup?.channel.target ?? heartbeat?.target ?? ''
  const startedAt = now()
  const result = (error: HoldfastError | undefined) => ({ name, type, target, durationMs: now() - startedAt, error })
  try {
    await setup?.channel.send({ type: 'test', at: startedAt }, `test_${randomUUID()}`, signal)
    await heartbeat?.ping('success', signal)
    return result(undefined)
  } catch (thrown) {
    if (hasCode(thrown, 'ABORTED')) throw thrown
    return result(toHoldfastError(thrown))
  }
}
