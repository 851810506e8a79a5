/** What `mirror` writes, and what `stats` does of mirrors. */
import { z } from 'zod'

const time = z.iso.datetime({ precision: 3 })
const count = z.int().min(0)
const failure = { code: z.string(), message: z.string(), hint: z.string().nullable() }

export const mirrorResult = z.strictObject({
  source: z.string().describe('URL of the repository'),
  dryRun: z.boolean(),
  mirrors: z.array(
    z.strictObject({
      mirror: z.string().describe('URL'),
      isNew: z.boolean().describe('there was no mirror yet'),
      complete: z.boolean().describe('everything that was asked for is there, undamaged'),
      completeAt: time.nullable().describe('when all of the repository was last known to be there'),
      databases: z.array(z.string()),
      copied: z.strictObject({ objects: count, bytes: count }),
      healed: z.array(z.string()).describe('keys of objects that were damaged on the mirror, and were replaced'),
      deleted: z.array(z.strictObject({ key: z.string(), bytes: count })),
      waiting: z
        .array(z.strictObject({ key: z.string(), since: time, until: time }))
        .describe('deleted in the repository, and kept on the mirror for the rest of the grace'),
      missing: z
        .array(z.string())
        .describe('keys of what is gone from the repository, though nothing says that it was deleted there: it stays'),
      heldBack: z
        .array(z.strictObject({ database: z.string(), reason: z.string() }))
        .describe('why nothing was deleted'),
      findings: z.array(
        z.strictObject({
          object: z.string().describe('object key, or name of a database'),
          side: z.enum(['source', 'mirror', 'both']).describe('where it is wrong'),
          problem: z.string(),
          soundCopy: z.enum(['source', 'mirror']).nullable().describe('where there is a sound copy'),
        }),
      ),
      failures: z
        .array(z.strictObject({ database: z.string(), ...failure }))
        .describe(
          'of several databases, those that failed; if the only one fails, it is one of the failures below, or the last line is an error',
        ),
      durationMs: z.number().min(0),
    }),
  ),
  failures: z
    .array(z.strictObject({ mirror: z.string(), ...failure }))
    .describe('of several mirrors, those that failed; if the only one fails, the last line is an error instead'),
  promoted: z
    .strictObject({
      id: z.string(),
      url: z.string(),
      formerSource: z.string(),
      completeAt: time.nullable(),
      databases: z.array(z.string()),
    })
    .nullable()
    .describe('with --promote: the repository that the mirror has become'),
})

const lag = { objects: count, bytes: count, lsns: count }

export const mirrorStates = z
  .array(
    z.strictObject({
      mirror: z.string().describe('URL'),
      completeAt: time
        .nullable()
        .describe(
          'when all of the repository was last known to be there; of one that is away, as the history of this machine knows',
        ),
      behind: z
        .strictObject({
          ...lag,
          databases: z.array(z.strictObject({ database: z.string(), ...lag })).describe('those that are behind'),
        })
        .nullable()
        .describe('what it has yet to get, by the names and sizes of objects; null if it is away'),
      problem: z.string().nullable().describe('why nothing can be told'),
    }),
  )
  .describe('those that the configuration names, or the history of this machine')
