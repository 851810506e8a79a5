import type { AgentOptions } from './agent-options.ts'
import type { Metrics } from './metrics/metrics.ts'
import { configuredChannels } from './notify/configured.ts'
import { defaultAlertSettings } from './notify/engine/alert-settings.ts'
import type { Sender } from './notify/message.ts'
import { Notifier } from './notify/notifier.ts'

export interface NotifierPlace extends Pick<AgentOptions, 'config' | 'clock' | 'log'> {
  /** Where the agent keeps its own files. */
  readonly folder: string
  readonly metrics: Metrics
  readonly sender: Sender
}

/** The agent's notifier, by its configuration; what is told goes into the log, too, unless it is there already. */
export async function openNotifier({ config, clock, log, folder, metrics, sender }: NotifierPlace): Promise<Notifier> {
  return await Notifier.open({
    folder,
    channels: configuredChannels(config.notify, sender),
    settings: { ...defaultAlertSettings, repeatMs: config.repeatAlertsMs },
    clock,
    onDelivery: (delivery) => metrics.delivered(delivery),
    onAlert: ({ state, severity, summary, database, kind }) => {
      // What follows the database tells of each of them, not only of the first.
      if (kind === 'gap' && state === 'firing') return
      const text = state === 'firing' ? summary : `Over: ${summary}`
      if (state === 'recovered') log.info(text, { alert: kind, database })
      else if (severity === 'critical') log.error(text, { alert: kind, database })
      else log.warn(text, { alert: kind, database })
    },
    warn: (message) => log.warn(message),
  })
}
