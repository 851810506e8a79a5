import { type ChannelType, channelTypes } from '../schema/notify-schema.ts'
import { isMapping } from '../schema/parse-what-is-right.ts'
import type { ConfigPath } from '../yaml/config-path.ts'
import type { Reporter } from './reporter.ts'

/** What has no meaning for a heartbeat, which is told of operations instead of alerts. */
const alertsOnly = ['on', 'severity', 'databases', 'rateLimit'] as const

export function checkNotify(raws: readonly unknown[], report: Reporter): void {
  const names = new Map<string, number>()
  for (const [index, raw] of raws.entries()) {
    if (!isMapping(raw)) continue
    const path: ConfigPath = ['notify', index]
    const types = channelTypes.filter((type) => raw[type] !== undefined)
    checkType(types, path, report)
    if (types.includes('heartbeat'))
      for (const key of alertsOnly.filter((key) => raw[key] !== undefined))
        report.key([...path, key], `"${key}" does not go with "heartbeat", which is told of operations, not of alerts.`)
    checkHeartbeat(raw['heartbeat'], path, report)
    checkSecrets(raw, path, report)
    const { name } = raw
    if (typeof name !== 'string') continue
    const before = names.get(name)
    if (before !== undefined) report.value([...path, 'name'], `notify[${before}] has the same name.`)
    else names.set(name, index)
  }
}

function checkType(types: readonly ChannelType[], path: ConfigPath, report: Reporter): void {
  const [type, another] = types
  if (type === undefined) report.value(path, `One of ${channelTypes.join(', ')} must say how to tell.`)
  else if (another !== undefined)
    report.key([...path, another], `This is a ${type} already. Write an entry of its own for the ${another}.`)
}

function checkHeartbeat(heartbeat: unknown, path: ConfigPath, report: Reporter): void {
  if (!isMapping(heartbeat) || heartbeat['every'] === undefined) return
  for (const key of ['database', 'schedule'].filter((key) => heartbeat[key] !== undefined))
    report.key(
      [...path, 'heartbeat', key],
      `"${key}" does not go with "every": by the clock, it is told of the agent as a whole.`,
    )
}

/** Told from what is written: a wrong password is still one. */
function checkSecrets(raw: Readonly<Record<string, unknown>>, path: ConfigPath, report: Reporter): void {
  const { webhook, email } = raw
  checkOneOf(webhook, ['secret', 'secretFile'], [...path, 'webhook'], report)
  checkOneOf(email, ['password', 'passwordFile'], [...path, 'email'], report)
  if (!isMapping(email)) return
  const hasPassword = email['password'] !== undefined || email['passwordFile'] !== undefined
  if (email['user'] !== undefined && !hasPassword)
    report.value([...path, 'email', 'user'], 'A user needs a "password" or a "passwordFile".')
  if (email['user'] === undefined && hasPassword) report.value([...path, 'email'], 'A password needs a "user".')
}

function checkOneOf(
  settings: unknown,
  [one, other]: readonly [string, string],
  path: ConfigPath,
  report: Reporter,
): void {
  if (isMapping(settings) && settings[one] !== undefined && settings[other] !== undefined)
    report.key([...path, other], `Give either "${one}" or "${other}".`)
}
