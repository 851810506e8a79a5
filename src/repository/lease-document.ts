import { z } from 'zod'

/** `lease.json`: who may write a database's history now. It stays, released, so that the epoch is never lost. */
export const leaseDocument = z.strictObject({
  /** Grows by one with each takeover from a holder that did not release. */
  epoch: z.int().min(1),
  /** The document was begun where there was none, and nobody has yet set its epoch above those of the history. */
  epochUnknown: z.literal(true).optional(),
  released: z.boolean(),
  /** The highest LSN given out so far, so that none is ever given twice. */
  lsn: z.int().min(0).default(0),
  /** Key of the segment that the holder is writing and nothing names yet; null when there is none. */
  pending: z.string().nullable().default(null),
  /** Random; tells our own write from another's when the answer to it got lost. */
  nonce: z.string(),
  owner: z.strictObject({
    host: z.string(),
    bootId: z.string(),
    pid: z.int(),
    startedAt: z.string(),
  }),
  /** What the holder is doing, for messages. */
  purpose: z.string(),
  /** Path of a socket on the owner's host, on which it takes requests of other processes there. */
  control: z.string().optional(),
  /** Of a holder that has a state folder which only one process may use: the folder's id. */
  home: z.string().optional(),
  /** By when everything that had been committed is in the repository, as whoever follows the database wrote it down last. */
  coveredAt: z.iso.datetime({ precision: 3 }).optional(),
  acquiredAt: z.iso.datetime({ precision: 3 }),
  expiresAt: z.iso.datetime({ precision: 3 }),
})
export type LeaseDocument = z.infer<typeof leaseDocument>
