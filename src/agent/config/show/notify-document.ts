import type { NotifyConfig } from '../config.ts'
import { mask, maskUrl } from './mask.ts'
import { durationText } from './units.ts'

/** A channel as it is written in a configuration. What is secret is masked; what came from a file is named by its path. */
export function notifyDocument(notify: NotifyConfig): Readonly<Record<string, unknown>> {
  const { timeoutMs } = notify.settings
  const common = { name: notify.name, ...(timeoutMs === undefined ? {} : { timeout: durationText(timeoutMs) }) }
  if (notify.type === 'heartbeat') {
    const { url, database, schedule, everyMs } = notify.settings
    const every = everyMs === undefined ? {} : { every: durationText(everyMs) }
    return { ...common, heartbeat: { url: maskUrl(url), database, schedule, ...every } }
  }
  const { on, severity, databases, rateLimit } = notify
  return {
    ...common,
    ...channelDocument(notify),
    on,
    severity,
    databases,
    rateLimit: { messages: rateLimit.messages, per: durationText(rateLimit.perMs) },
  }
}

function channelDocument(notify: Exclude<NotifyConfig, { type: 'heartbeat' }>) {
  switch (notify.type) {
    case 'webhook': {
      const { url, secret, secretFile, headers } = notify.settings
      const masked = headers && Object.fromEntries(Object.keys(headers).map((name) => [name, mask]))
      return { webhook: { url: maskUrl(url), ...secretAs('secret', secret, secretFile), headers: masked } }
    }
    case 'email': {
      const { host, port, tls, caFile, insecure, user, password, passwordFile, from, to } = notify.settings
      const login = { user, ...secretAs('password', password, passwordFile) }
      return { email: { host, port, tls, caFile, insecure, ...login, from, to } }
    }
    case 'command':
      return { command: notify.settings.command }
  }
}

function secretAs(key: string, secret: string | undefined, file: string | undefined): Readonly<Record<string, string>> {
  if (file !== undefined) return { [`${key}File`]: file }
  return secret === undefined ? {} : { [key]: mask }
}
