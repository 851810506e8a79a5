import { resolve } from 'node:path'
import { alertTopics } from '../../notify/alert.ts'
import { defaultRateLimit } from '../../notify/delivery/rate-limit.ts'
import type { NotifyConfig } from '../config.ts'
import { commandOf } from '../schema/command-schema.ts'
import { channelTypes, type NotifyInput } from '../schema/notify-schema.ts'

export interface SecretFiles {
  readonly folder: string
  /** By absolute path. */
  readonly secrets: ReadonlyMap<string, string>
}

export function resolveNotify(inputs: readonly NotifyInput[], files: SecretFiles): NotifyConfig[] {
  const names = namesOf(inputs)
  return inputs.map((input, index) => resolveChannel(input, names[index] ?? '', files))
}

/** Those that are given, and for the others their type, with a number where it would not be unique. */
function namesOf(inputs: readonly NotifyInput[]): string[] {
  const taken = new Set(inputs.flatMap(({ name }) => name ?? []))
  return inputs.map((input) => {
    if (input.name !== undefined) return input.name
    const type = channelTypes.find((type) => input[type] !== undefined) ?? 'channel'
    let name: string = type
    for (let number = 2; taken.has(name); number += 1) name = `${type}-${number}`
    taken.add(name)
    return name
  })
}

function resolveChannel(input: NotifyInput, name: string, files: SecretFiles): NotifyConfig {
  const { webhook, email, command, heartbeat, on, severity, databases, rateLimit, timeout: timeoutMs } = input
  const timed = timeoutMs === undefined ? {} : { timeoutMs }
  if (heartbeat !== undefined) {
    const { every, ...said } = typeof heartbeat === 'string' ? { url: heartbeat } : heartbeat
    const beat = every === undefined ? {} : { everyMs: every }
    return { type: 'heartbeat', name, settings: { name, ...said, ...beat, ...timed } }
  }
  const common = {
    name,
    on: on ?? alertTopics,
    severity: severity ?? 'warning',
    databases,
    rateLimit: rateLimit === undefined ? defaultRateLimit : { messages: rateLimit.messages, perMs: rateLimit.per },
  } as const
  if (webhook !== undefined) {
    const { secretFile, ...said } = typeof webhook === 'string' ? { url: webhook } : webhook
    const secret = readFrom(files, secretFile)
    return {
      ...common,
      type: 'webhook',
      settings: {
        ...said,
        ...timed,
        ...(secret === undefined ? {} : { secret: secret.text, secretFile: secret.path }),
      },
    }
  }
  if (email !== undefined) {
    const { passwordFile, caFile, to, ...said } = email
    const password = readFrom(files, passwordFile)
    const ca = readFrom(files, caFile)
    return {
      ...common,
      type: 'email',
      settings: {
        ...said,
        ...timed,
        to: typeof to === 'string' ? [to] : to,
        ...(password === undefined ? {} : { password: password.text, passwordFile: password.path }),
        ...(ca === undefined ? {} : { ca: ca.text, caFile: ca.path }),
      },
    }
  }
  return { ...common, type: 'command', settings: { command: commandOf(command ?? ''), ...timed } }
}

function readFrom({ folder, secrets }: SecretFiles, file: string | undefined) {
  if (file === undefined) return undefined
  const path = resolve(folder, file)
  return { path, text: secrets.get(path) ?? '' }
}
