import { z } from 'zod'
import { alertTopics, severities } from '../../notify/alert.ts'
import { commandSchema } from './command-schema.ts'
import { atLeastOne } from './list.ts'
import { choice, duration, flag, matching, path, secret, text, url, whole } from './scalars.ts'

const address = (description: string) =>
  matching(description, 'an e-mail address', (found) => /^[^\r\n]*[^\s@]@[^\s@]+$/.test(found.replace(/>$/, '')))

const headerName = z
  .string()
  .regex(/^[\w!#$%&'*+.^`|~-]+$/)
  .describe('the name of a header')

const channels = {
  webhook: z
    .union([
      url('its address'),
      z.strictObject({
        url: url('its address'),
        secret: secret('signs every message').optional(),
        secretFile: path('a file that holds the secret').optional(),
        headers: z.record(headerName, secret('its value')).describe('more headers').optional(),
      }),
    ])
    .describe('POSTs JSON to this address')
    .optional(),
  email: z
    .strictObject({
      host: matching('the SMTP server', 'the name of a server', (found) => /^[^\s/@]+$/.test(found)),
      port: whole('default: 587, or 465 with "tls: always"', 1, 65_535).optional(),
      tls: choice('default starttls', ['always', 'starttls', 'never']).optional(),
      caFile: path("a file that holds the certificate of the server's authority, in PEM").optional(),
      insecure: flag('take any certificate; default false').optional(),
      user: text('who logs in').optional(),
      password: secret('better kept in the environment or a file').optional(),
      passwordFile: path('a file that holds the password').optional(),
      from: address('the sender'),
      to: z.union([address('a recipient'), atLeastOne(address('a recipient'))]).describe('the recipients'),
    })
    .describe('sends e-mail through an SMTP server')
    .optional(),
  command: commandSchema.describe('runs a program, with the alert as JSON on its standard input').optional(),
  heartbeat: z
    .union([
      url('its address'),
      z.strictObject({
        url: url('its address'),
        database: text('only operations of this database', 'the name of a database').optional(),
        schedule: text('only those of this schedule', 'the id of a schedule').optional(),
        every: duration('instead of operations: so often that the agent lives, while all is well', '5m').optional(),
      }),
    ])
    .describe('tells a monitoring service of each scheduled operation: its start, its success, its failure')
    .optional(),
} as const

export const notifySchema = z
  .strictObject({
    ...channels,
    name: matching('unique; default: its type', 'a name of letters, digits, ".", "_" and "-", at most 64', (found) =>
      /^[A-Za-z0-9][\w.-]{0,63}$/.test(found),
    ).optional(),
    on: atLeastOne(choice('a topic', alertTopics)).describe('what is told; default: everything').optional(),
    severity: choice('what is less severe is not told; default warning', severities).optional(),
    databases: atLeastOne(text('a name in the repository'))
      .describe('only what concerns these; default: all')
      .optional(),
    rateLimit: z
      .strictObject({
        messages: whole('so many messages …', 1, 10_000),
        per: duration('… within so long', '10m'),
      })
      .describe('more is told in one summary; default: 10 messages per 10m')
      .optional(),
    timeout: duration('for one message; default: 10s, 20s for e-mail, 30s for a command', '30s').optional(),
  })
  .describe('a way to be told: one of webhook, email, command and heartbeat')

export const channelTypes = ['webhook', 'email', 'command', 'heartbeat'] as const
export type ChannelType = (typeof channelTypes)[number]
export type NotifyInput = z.infer<typeof notifySchema>
