/** The model's records as `--json` shows them: as in the library, with times in ISO 8601 and null for what is not there. */
import { z } from 'zod'
import { validationReport } from '../../repository/facts-schema.ts'
import { backupManifest } from '../../repository/manifest.ts'

const time = z.iso.datetime({ precision: 3 })
const count = z.int().min(0)
const milliseconds = z.number().min(0)

export const backupSchema = backupManifest

export const restorePlanSchema = z.strictObject({
  database: z.string(),
  lsn: count,
  time,
  pause: z
    .strictObject({ from: time, to: time })
    .nullable()
    .describe('if it was committed while nobody looked: some time between these two'),
  backup: backupManifest.nullable().describe('the backup whose state this is, if one is'),
  steps: z
    .array(z.strictObject({ key: z.string(), kind: z.string(), from: count, to: count, bytes: count }))
    .describe('segments in the order in which they are applied'),
  pageSize: count,
  pageCount: count,
  checksum: z.string().describe('state checksum that the restored file must have'),
  estimate: z.strictObject({
    segments: count,
    bytesToFetch: count,
    requests: count,
    commitsToReplay: count,
    bytesToWrite: count.describe('also the free space that it needs'),
    durationMs: milliseconds,
  }),
})

export const proofSchema = z.strictObject({
  checksum: z.string().describe('state checksum of the restored file, equal to the one that was wanted'),
  pagesHashed: count,
  validation: validationReport,
  factsMatch: z
    .boolean()
    .nullable()
    .describe('schema, settings and row counts equal the backup; null if there was nothing to compare with'),
  tablesCompared: count.describe('tables whose row counts were compared'),
  command: z.strictObject({ output: z.string(), durationMs: milliseconds }).nullable().describe("the user's own check"),
  durationMs: milliseconds,
})

export type PlanData = z.infer<typeof restorePlanSchema>
export type ProofData = z.infer<typeof proofSchema>
