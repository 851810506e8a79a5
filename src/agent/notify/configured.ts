import type { Clock } from '../../capture/clock.ts'
import type { NotifyConfig } from '../config/config.ts'
import type { Channel } from './channels/channel.ts'
import { command } from './channels/command.ts'
import { email } from './channels/email.ts'
import { webhook } from './channels/webhook.ts'
import type { Delivery } from './delivery/channel-queue.ts'
import { Heartbeat } from './heartbeat.ts'
import type { Sender } from './message.ts'
import type { ChannelSetup } from './notifier.ts'

type ChannelConfig = Exclude<NotifyConfig, { readonly type: 'heartbeat' }>

/** The channels of a configuration, for a {@link Notifier}. */
export function configuredChannels(notify: readonly NotifyConfig[], sender: Sender): ChannelSetup[] {
  return notify.flatMap((config): ChannelSetup[] => {
    if (config.type === 'heartbeat') return []
    const { name, type, settings, on: topics, severity, databases, rateLimit: limit } = config
    const filter = { topics, severity, databases }
    return [{ name, channel: channelOf(config, sender), settings: { type, ...settings }, filter, limit }]
  })
}

/** The heartbeats of a configuration. */
export function configuredHeartbeats(
  notify: readonly NotifyConfig[],
  options: {
    readonly clock?: Clock | undefined
    readonly onDelivery?: ((delivery: Delivery) => void) | undefined
  } = {},
): Heartbeat[] {
  return notify.flatMap((config) => (config.type === 'heartbeat' ? [new Heartbeat(config.settings, options)] : []))
}

function channelOf(config: ChannelConfig, sender: Sender): Channel {
  switch (config.type) {
    case 'webhook':
      return webhook(config.settings, sender)
    case 'email':
      return email(config.settings, sender)
    case 'command':
      return command(config.settings, sender)
  }
}
