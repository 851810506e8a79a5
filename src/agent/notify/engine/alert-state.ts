import { z } from 'zod'
import { alertKinds, severities } from '../alert.ts'

const time = z.number()

export const conditionSchema = z.strictObject({
  key: z.string(),
  kind: z.enum(alertKinds),
  severity: z.enum(severities),
  database: z.string().optional(),
  summary: z.string(),
  hint: z.string().optional(),
  details: z.record(z.string(), z.union([z.string(), z.number()])),
})

const incident = {
  condition: conditionSchema,
  /** When the condition began. */
  since: time,
  times: z.int().min(1),
  /** Ends by itself at that time unless it happens again: for what happens rather than lasts. */
  until: time.nullable(),
  /** For how long after it last happened, in milliseconds: `until` is never further ahead, also when the clock was set back. */
  forMs: time.exactOptional(),
  /** How often it has come back shortly after it was over. */
  flaps: z.int().min(0),
}

const noticed = {
  /** When the last notice was made. */
  noticedAt: time,
  reminder: z.int().min(0),
}

/** What the engine remembers under one key. */
export const alertEntry = z.discriminatedUnion('phase', [
  /** True, but not yet for long enough to be told. */
  z.strictObject({
    phase: z.literal('pending'),
    ...incident,
    /** For how long it must be true; null: as long as is usual for its kind. */
    delayMs: z.number().nullable(),
    /** Told only when it is seen again after that time. */
    onSight: z.literal(true).exactOptional(),
  }),
  z.strictObject({ phase: z.literal('firing'), ...incident, ...noticed }),
  /** No longer true, but not yet for long enough to be called over. */
  z.strictObject({ phase: z.literal('settling'), ...incident, ...noticed, clearedAt: time }),
  /** Over, and remembered for a while, because what comes back soon is flapping. */
  z.strictObject({ phase: z.literal('over'), endedAt: time, flaps: z.int().min(0) }),
])
export type AlertEntry = z.infer<typeof alertEntry>
export type Incident = Exclude<AlertEntry, { phase: 'over' }>

export const alertState = z.record(z.string(), alertEntry)
/** By key of the condition. */
export type AlertState = Readonly<Record<string, AlertEntry>>
