/** `holdfast.yaml` as people write it. */
import { z } from 'zod'
import { logLevels } from '../config.ts'
import { databaseSchema, defaultsSchema } from './database-schema.ts'
import { hookSchema } from './hook-schema.ts'
import { atLeastOne } from './list.ts'
import { mirrorSchema } from './mirror-schema.ts'
import { notifySchema } from './notify-schema.ts'
import { choice, duration, flag, path, place, text, whole } from './scalars.ts'

export const rootShape = {
  repository: place('path or URL of the repository; default ./backups').optional(),
  stateFolder: path('what the agent must remember of this machine; default: a folder of the user').optional(),
  timeZone: text(
    'of schedules and retention that name none, such as Europe/Berlin; default UTC',
    'a time zone such as Europe/Berlin',
  ).optional(),
  defaults: defaultsSchema.optional(),
  databases: atLeastOne(databaseSchema).describe('what is backed up'),
  mirrors: z
    .array(mirrorSchema)
    .describe('copies of the whole repository in other places, brought up to date every hour')
    .optional(),
  concurrency: z
    .union([
      whole('operations at once', 1, 256),
      z.strictObject({
        operations: whole('backups, verifications, drills … at once; default 2', 1, 256).optional(),
        workers: whole('processes over which databases are spread; default: as many as cores', 1, 256).optional(),
      }),
    ])
    .describe('how much is done at once; a number stands for operations')
    .optional(),
  notify: z.array(notifySchema).describe('who is told when something is wrong').optional(),
  repeatAlerts: duration('what lasts is told again after so long; default 24h', '12h').optional(),
  hooks: z
    .array(hookSchema)
    .describe("programs that run before and after operations, besides a database's own")
    .optional(),
  server: z
    .union([
      flag('listen on 127.0.0.1:7420'),
      z.strictObject({
        listen: text('address and port; default 127.0.0.1:7420', 'an address such as 127.0.0.1:7420').optional(),
        allowRemote: flag('also listen where other machines can reach it; default false').optional(),
      }),
    ])
    .describe('HTTP for metrics and health; default false')
    .optional(),
  log: z
    .strictObject({
      level: choice('default info', logLevels).optional(),
      format: choice('default text', ['text', 'json']).optional(),
    })
    .describe('what the agent writes while it runs')
    .optional(),
  stopTimeout: duration('how long a stop waits for what runs and for uploads; default 30s', '2m').optional(),
} as const

export const configSchema = z.strictObject(rootShape)

/** Words of the documentation that this version has nothing for. */
export const laterKeys: readonly string[] = ['encryption']

export type ConfigInput = z.infer<typeof configSchema>
