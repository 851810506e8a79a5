/**
 * The lines that `--json` writes. docs/cli-json.md is made from these schemas, the tests check the program's real output
 * against them, and the commands take their types from here; at run time nothing loads this file.
 */
import { z } from 'zod'
import { agentResults } from './agent-schemas.ts'
import { configResults } from './config-schemas.ts'
import { drilledSchema, drillResult, lastDrillSchema } from './drill-schemas.ts'
import { growthDays, historyResults, operationStats } from './history-schemas.ts'
import { mirrorResult, mirrorStates } from './mirror-schemas.ts'
import { backupSchema, proofSchema, restorePlanSchema } from './model-schemas.ts'
import { notifyResults } from './notify-schemas.ts'
import { retentionResults } from './retention-schemas.ts'
import { scheduleResults } from './schedule-schemas.ts'
import { unsent } from './unsent.ts'

const time = z.iso.datetime({ precision: 3 })
const count = z.int().min(0)
const milliseconds = z.number().min(0)

export const progressLine = z
  .strictObject({
    type: z.literal('progress'),
    object: z.string().describe('The database or operation that this is about.'),
    phase: z.string(),
    done: z.number(),
    total: z.number().nullable().describe('null while it is not known'),
    unit: z.enum(['bytes', 'pages', 'objects']),
    ratePerSecond: z.number().nullable().describe('units a second over the last seconds'),
    secondsLeft: z.number().nullable().describe('of this phase'),
  })
  .describe('Where a long operation stands; at most four lines a second for each operation, each phase at least once.')

export const warningLine = z
  .strictObject({
    type: z.literal('warning'),
    message: z.string(),
    object: z.string().nullable().describe('a path, a database, a backup or an object key'),
  })
  .describe('Something to know that did not stop the command; the exit status is then 3, unless it is an error.')

const stretch = { fromLsn: count, toLsn: count, fromTime: time, toTime: time }

const about = { type: z.literal('follow'), database: z.string() }

export const followLine = z
  .discriminatedUnion('event', [
    z
      .strictObject({
        ...about,
        event: z.literal('started'),
        mode: z.enum(['commits', 'deltas']).describe('deltas: no write-ahead log, one state an interval is kept'),
        how: z
          .enum(['first', 'resumed', 'unchanged', 'healed'])
          .describe('healed: commits were missed; what had changed was stored, and a gap recorded'),
        lsn: count,
        time,
      })
      .describe('following has begun'),
    z
      .strictObject({
        ...about,
        event: z.literal('uploaded'),
        lsn: count,
        commits: count.describe('since the upload before'),
        bytes: count,
        lagMs: milliseconds.describe('since the first of these commits was seen'),
      })
      .describe('everything up to this LSN is in the repository'),
    z.strictObject({
      ...about,
      event: z.literal('handed-off'),
      complete: z.boolean(),
      lockHeldMs: milliseconds.describe('how long writers had to wait'),
      framesBefore: count,
      framesLeft: count,
    }),
    z.strictObject({ ...about, event: z.literal('gap'), ...stretch, reason: z.string() }),
    z.strictObject({
      ...about,
      event: z.literal('retrying'),
      what: z.enum(['upload', 'database']),
      message: z.string(),
      delayMs: milliseconds,
      failures: count,
    }),
    z.strictObject({
      ...about,
      event: z.literal('spool-full'),
      action: z.enum(['merged', 'gave-up']),
      bytes: count,
      limitBytes: count,
    }),
    z.strictObject({ ...about, event: z.literal('stopped'), left: unsent }),
  ])
  .describe('What `holdfast follow` tells while it runs.')

const partialBackup = z.strictObject({
  database: z.string(),
  type: z.enum(['full', 'incremental', 'snapshot']),
  phase: z.string(),
  bytesRead: count,
  bytesStored: count,
  startedAt: time,
})

export const errorFacts = z.strictObject({
  code: z.string().describe('stable across releases'),
  message: z.string().describe('for people; it may change'),
  object: z.string().nullable().describe('what failed: a path, an object key, a backup id, a database name'),
  hint: z.string().nullable().describe('what to do next'),
  exitCode: z.int(),
  causes: z.array(z.string()).describe('messages of the underlying errors, outermost first'),
  partialBackup: partialBackup.nullable().describe('how far a failed backup came; nothing of it is visible'),
})

export const errorLine = z
  .strictObject({ type: z.literal('error'), command: z.string().nullable(), ...errorFacts.shape })
  .describe('The last line of a command that failed.')

const capabilities = z.strictObject({
  conditionalCreate: z.boolean(),
  conditionalReplace: z.boolean(),
  consistentList: z.boolean(),
})
const problem = z.strictObject({ key: z.string(), problem: z.string() })
const verified = z
  .strictObject({ level: z.enum(['data', 'restore']), time, ok: z.boolean(), problem: z.string().nullable() })
  .nullable()
  .describe('the last verification that is known of, null if there was none')

const listedBackup = backupSchema.extend({
  verified,
  drilled: drilledSchema,
  parentGone: z.boolean().describe('its parent was let go or deleted since; it is listed no more'),
})

const segment = z.strictObject({
  key: z.string(),
  kind: z.enum(['base', 'delta', 'log']),
  from: count,
  to: count,
  bytes: count,
})

const statsFacts = {
  backups: count,
  byType: z.strictObject({ full: count, incremental: count, snapshot: count }),
  segments: count,
  storedBytes: count.describe('bytes of all segments as stored'),
  followed: z
    .strictObject({ segments: count, commits: count, bytes: count })
    .describe('what "holdfast follow" stored, as a part of the above'),
  rawBytes: count.describe('bytes of the pages in them before compression'),
  databaseBytesProtected: count.describe("sum of the database's size over all backups: what plain copies would take"),
  savedBytes: z.int().describe('databaseBytesProtected less what is stored for backups'),
  savingsRatio: z.number().describe('savedBytes / databaseBytesProtected'),
  compressionRatio: z.number().describe('bytes of pages before compression / after'),
  savedByCompression: z.int().describe('bytes of pages in backups before compression less after'),
  savedByIncrementals: z.int().describe('databaseBytesProtected less bytes of pages in backups'),
}

const databaseStats = z.strictObject({
  ...statsFacts,
  database: z.string(),
  oldest: z.string().nullable().describe('backup id'),
  newest: z.string().nullable().describe('backup id'),
  newestGood: z.string().nullable().describe('id of the newest backup whose database passed its checks'),
  growth: z
    .array(z.strictObject({ time, storedBytes: count }))
    .describe('all that is stored up to the state of each backup, and up to the newest state that was followed since'),
  days: growthDays,
})

const wanted = z.strictObject({
  by: z.enum(['latest', 'backup', 'name', 'lsn', 'time']),
  value: z.string().nullable().describe('as it was understood: a time in full, an id, a name, an LSN'),
  before: z.boolean(),
})

/** The final line of each command; every one also has `type`, `command` and `exitCode`. */
export const resultData = {
  init: z.strictObject({
    repository: z.strictObject({ id: z.string(), url: z.string(), createdAt: time, capabilities }),
  }),
  backup: z.strictObject({
    backups: z.array(
      z.strictObject({
        backup: backupSchema,
        typeReason: z.string().nullable().describe('why this type, if it was not given'),
        warnings: z.array(z.string()),
        durationMs: milliseconds,
        writersBlockedMs: milliseconds,
      }),
    ),
    failures: z
      .array(z.strictObject({ path: z.string(), error: errorFacts }))
      .describe('of several databases, those that failed; if the only one fails, the last line is an error instead'),
  }),
  follow: z.strictObject({
    repository: z.string(),
    databases: z.array(
      z.strictObject({
        database: z.string(),
        location: z.string(),
        mode: z.enum(['commits', 'deltas']),
        commits: count.describe('taken during this run; in the mode "deltas": states'),
        lsn: count.describe('the newest state that is kept'),
        uploadedLsn: count.describe('the newest state in the repository'),
        gaps: count.describe('recorded during this run'),
        left: unsent.describe('waits in the state folder; the next start uploads it'),
        error: errorFacts.nullable().describe('why following ended, if not as asked'),
      }),
    ),
    durationMs: milliseconds,
  }),
  list: z.strictObject({
    repository: z.string(),
    databases: z.array(
      z.strictObject({
        name: z.string(),
        location: z.string().nullable().describe('path from which it was first backed up'),
        backups: z.array(listedBackup).describe('oldest first'),
        followed: z
          .strictObject({ ...stretch, earlierWindows: count })
          .nullable()
          .describe('the newest window of which every commit can be restored, if it was ever followed'),
        singleStates: z
          .strictObject({ ...stretch, count })
          .nullable()
          .describe('states that following kept and no backup names, outside of windows: the first to the last'),
        lastDrill: lastDrillSchema,
        problems: z.array(problem),
      }),
    ),
  }),
  show: z.strictObject({
    backup: listedBackup,
    chain: z.array(segment).nullable().describe('the segments that lead to it, in order; null if one is missing'),
    neededBy: z.array(z.string()).describe('ids of the backups that need its segment'),
  }),
  stats: z.strictObject({
    repository: z.string(),
    databases: z.array(databaseStats),
    total: z.strictObject(statsFacts),
    operations: operationStats.describe(
      'from the history of this machine; of the databases that are named, else of all',
    ),
    mirrors: mirrorStates,
  }),
  estimate: z.strictObject({ wanted, plan: restorePlanSchema }),
  restore: z.strictObject({
    wanted,
    plan: restorePlanSchema,
    dryRun: z.boolean(),
    targetPath: z.string(),
    mode: z.enum(['create', 'replace', 'delta']),
    proof: proofSchema.nullable().describe('null for a dry run'),
    pagesWritten: count,
    bytesFetched: count,
    durationMs: milliseconds,
    warnings: z.array(z.string()),
  }),
  verify: z.strictObject({
    level: z.enum(['metadata', 'data', 'restore']),
    ok: z.boolean(),
    findings: z.array(
      z.strictObject({
        database: z.string().nullable(),
        object: z.string(),
        problem: z.string(),
        affectedBackups: z.array(z.string()),
      }),
    ),
    checked: z.strictObject({ manifests: count, segments: count, bytes: count, restores: count }),
    remaining: count.describe('objects left for a later run'),
    untried: count.describe('backups that there was no room to try'),
    restorable: z.array(z.string()).describe('ids of the backups with nothing found against their chains'),
    warnings: z.array(z.string()),
    durationMs: milliseconds,
  }),
  drill: drillResult,
  points: z.strictObject({
    database: z.string(),
    from: time.nullable(),
    to: time.nullable(),
    points: z.array(z.strictObject({ lsn: count, time, backups: z.array(z.string()).describe('ids') })),
    windows: z
      .array(z.strictObject({ kind: z.enum(['continuous', 'point']), ...stretch }))
      .describe('continuous: every commit inside can be restored; point: a single state'),
    pauses: z
      .array(z.strictObject(stretch))
      .describe('inside windows: every commit can be restored by its LSN, but a time in between names no state'),
    gaps: z.array(z.strictObject({ ...stretch, reason: z.string() })).describe('between two windows'),
  }),
  delete: z.strictObject({
    backup: backupSchema,
    dryRun: z.boolean(),
    freedBytes: count,
    deletedSegments: z.array(z.string()),
  }),
  doctor: z.strictObject({
    checks: z.array(
      z.strictObject({
        name: z.string(),
        status: z.enum(['ok', 'note', 'warning', 'failure']),
        message: z.string(),
        hint: z.string().nullable(),
      }),
    ),
  }),
  mirror: mirrorResult,
  ...retentionResults,
  ...historyResults,
  ...configResults,
  ...agentResults,
  ...notifyResults,
  ...scheduleResults,
  completion: z.strictObject({ shell: z.enum(['bash', 'zsh', 'fish']), script: z.string() }),
}

export type ProgressLine = z.infer<typeof progressLine>
export type FollowLine = z.infer<typeof followLine>
export type WarningLine = z.infer<typeof warningLine>
export type ErrorLine = z.infer<typeof errorLine>
export type ErrorFacts = z.infer<typeof errorFacts>
/** By command: what its last line holds. */
export type Results = { [Name in keyof typeof resultData]: z.infer<(typeof resultData)[Name]> }
export type CommandName = keyof Results
export type ResultData<Name extends CommandName> = Results[Name]
export type Wanted = z.infer<typeof wanted>
export type Verified = z.infer<typeof verified>
