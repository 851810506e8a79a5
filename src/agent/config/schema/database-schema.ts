/** What a database, and `defaults`, may say. Nothing here has a default: what is not said may come from elsewhere. */
import { z } from 'zod'
import { isDatabaseName } from '../../../repository/layout.ts'
import { scheduleInput, triggerInput } from '../../schedule/schedule-input.ts'
import { commandSchema } from './command-schema.ts'
import { hookSchema } from './hook-schema.ts'
import { atLeastOne } from './list.ts'
import {
  choice,
  duration,
  durationOrNever,
  durationOrZero,
  flag,
  matching,
  part,
  path,
  size,
  text,
  whole,
} from './scalars.ts'

const when = { ...triggerInput.shape, jitter: scheduleInput.shape.jitter }

function orFlag<Shape extends z.ZodRawShape>(description: string, shape: Shape) {
  return z.union([flag(description), z.strictObject(shape)]).describe(description)
}

function oneOrMore(description: string, example: string) {
  return z.union([path(example), atLeastOne(path(example))]).describe(description)
}

const cell = z.union([z.string(), z.number(), z.null()])

const assertion = z.union([
  text('one query', 'an SQL query'),
  z.strictObject({
    sql: text('one query', 'an SQL query'),
    name: text('shown in reports; default: the query').optional(),
    expect: z
      .union([cell, z.array(z.array(cell))])
      .describe('the single value that it must yield, or all rows; default: a value that is true')
      .optional(),
  }),
])

const tags = z.record(z.string().min(1), text('a label')).describe('labels of its backups')

export const databaseShape = {
  follow: orFlag('make every commit a restore point; default true', {
    syncInterval: duration('gather commits for so long into one upload; default 1s', '5s').optional(),
    maxBatch: size('upload earlier when so much has gathered; default 64MiB', '16MiB').optional(),
    enableWal: flag('switch a database without a write-ahead log to one, for good; default false').optional(),
    deltaInterval: duration(
      'keep a state so often of a database without a write-ahead log; default 1m',
      '5m',
    ).optional(),
    handOff: z
      .strictObject({
        size: size('hand the log back when it is so large; default 4MiB', '16MiB').optional(),
        age: duration('or so old; default 1m', '5m').optional(),
      })
      .describe("when the database's log is handed back to it")
      .optional(),
    auditInterval: durationOrNever(
      'compare the whole database with what was taken so often; default 24h',
      '7d',
    ).optional(),
    spoolLimit: size('let so much wait while the repository is away; default 1GiB', '4GiB').optional(),
  }).optional(),
  schedules: z.array(scheduleInput).describe('what is done when; default: an incremental backup every day').optional(),
  retention: orFlag('what is kept; default false: everything, for ever', {
    last: whole('the newest so many backups').optional(),
    hourly: whole('the newest backup of each of so many hours').optional(),
    daily: whole('… days').optional(),
    weekly: whole('… ISO weeks').optional(),
    monthly: whole('… months').optional(),
    yearly: whole('… years').optional(),
    within: duration('every backup younger than this', '30d').optional(),
    maxBackups: whole('at most so many backups in all, pinned ones aside; default 100', 1).optional(),
    window: durationOrZero('every commit younger than this; 0: none for its own sake', '7d').optional(),
    timeZone: text(
      'in which hours, days, weeks, months and years begin',
      'a time zone such as Europe/Berlin',
    ).optional(),
    grace: duration('so long after its end is decided, a backup is removed; default 24h', '3d').optional(),
  }).optional(),
  expire: orFlag('when retention is put into effect; default: every day, where there is retention', when).optional(),
  compact: orFlag('when stored history is merged; default: every day, where there is retention', when).optional(),
  verify: orFlag('when the repository is proved to be sound; default: every week', {
    ...when,
    level: choice('how far to go; default data', ['metadata', 'data', 'restore']).optional(),
    subset: part('only so much each time, least recently checked first; default all').optional(),
    maxDuration: duration('begin nothing more after this time', '10m').optional(),
    scratchFolder: path(
      'where the trial restores of level restore go; default: the temporary folder of the system',
    ).optional(),
  }).optional(),
  drill: orFlag('when a restore is tried; default false; true: every week', {
    ...when,
    state: choice('what is restored; default latest', ['latest', 'random']).optional(),
    assertions: z
      .array(assertion)
      .describe('SQL queries on what was restored; each must yield one true value, or what it expects')
      .optional(),
    expectTables: z
      .union([z.array(text('a table')), z.record(z.string().min(1), whole('at least so many rows'))])
      .describe('tables that must be there, as a list, or with the number of rows that they must have at least')
      .optional(),
    command: commandSchema.describe('must succeed; its first argument is the restored file').optional(),
    commandTimeout: duration('how long it, and each assertion, may take; default 5m', '10m').optional(),
    maxRecoveryTime: duration('a restore that takes longer fails the drill', '15m').optional(),
    maxAge: duration('a state that is older fails the drill', '2h').optional(),
    scratchFolder: path('where it is restored; default: the temporary folder of the system').optional(),
  }).optional(),
  compression: z
    .strictObject({
      codec: choice('default zstd', ['zstd', 'gzip', 'none']).optional(),
      level: whole("default: the codec's usual one", -50, 19).optional(),
    })
    .describe('of what is stored')
    .optional(),
  validation: choice('how a database is checked before each backup; default quick', [
    'none',
    'quick',
    'integrity',
  ]).optional(),
  tags: tags.optional(),
  hooks: z.array(hookSchema).describe('programs that run before and after operations on it').optional(),
  overdueAfter: duration('alert when the newest kept state is older; default: by the schedules', '26h').optional(),
  lagLimit: duration('alert when commits wait longer for the repository; default 5m', '15m').optional(),
} as const

export const whichShape = {
  path: path('a SQLite database').optional(),
  glob: oneOrMore('patterns of paths; databases that come and go are noticed', 'a pattern of paths').optional(),
  exclude: oneOrMore('patterns of paths that are left out', 'a pattern of paths').optional(),
  name: matching(
    "in the repository; default: the file's name, without an ending such as .db",
    'a name of letters, digits, ".", "_", "+", "=" and "-", at most 100',
    isDatabaseName,
  ).optional(),
} as const

export const defaultsSchema = z
  .strictObject(databaseShape)
  .describe('what holds for every database that does not say otherwise')

export const databaseSchema = z.strictObject({ ...whichShape, ...databaseShape })

export type DatabaseInput = z.infer<typeof databaseSchema>
export type SettingsInput = z.infer<typeof defaultsSchema>
