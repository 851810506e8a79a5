/**
 * What was verified when: one document a database, replaced by compare-and-swap. It is knowledge about backups, not part of
 * them: losing it costs a verification, nothing else.
 */
import { z } from 'zod'
import { hasCode } from '../errors.ts'
import type { OperationOptions } from '../storage/storage.ts'
import { isInFuture } from '../util/clock-margin.ts'
import type { DatabaseRepository } from './database-repository.ts'
import { readDocument } from './documents.ts'
import { verificationKey } from './layout.ts'
import { type ReplaceIn, replaceDocument } from './replace-document.ts'

const time = z.iso.datetime({ precision: 3 })

const entry = z.strictObject({
  /** ISO 8601. */
  checkedAt: time,
  ok: z.boolean(),
  /** What was wrong; empty if nothing. */
  problem: z.string(),
})
export type VerificationEntry = z.infer<typeof entry>

const ledger = z.strictObject({
  /** By object key: the last check of every stored byte. */
  segments: z.record(z.string(), entry),
  /** By backup id: the last scratch restore. */
  restores: z.record(z.string(), entry),
  /** By object key or backup id: when a verification first saw what has never been checked. */
  waiting: z.record(z.string(), time).default({}),
  /** By backup id: when there was last no room for a scratch restore, after the last one that there was. */
  untried: z.record(z.string(), time).default({}),
  /** Backups were pinned by hand: there must be a retention record. */
  pins: z.literal(true).optional(),
})
export type VerificationLedger = z.infer<typeof ledger>

/** What is in the repository, for the ledger to forget the rest. */
export interface Existing {
  readonly segments: ReadonlySet<string>
  readonly backups: ReadonlySet<string>
  /** When the listing began, ISO 8601: what was checked later may have come into being later, and is kept. */
  readonly listedAt?: string | undefined
}

export interface UpdateLedgerOptions extends OperationOptions {
  /** Milliseconds since 1970; default: now. */
  readonly now?: number | undefined
}

/** An unreadable ledger counts as none, unless `strict`: everything is then checked as if for the first time. */
export async function readLedger(
  database: Pick<DatabaseRepository, 'storage' | 'name'>,
  { strict = false, ...options }: OperationOptions & { readonly strict?: boolean | undefined } = {},
): Promise<VerificationLedger> {
  const none = { segments: {}, restores: {}, waiting: {}, untried: {} }
  try {
    return (
      (await readDocument(database.storage, 'verification', ledger, verificationKey(database.name), options)) ?? none
    )
  } catch (error) {
    if (!strict && hasCode(error, 'INTEGRITY')) return none
    throw error
  }
}

/**
 * Adds results, and forgets what is not in the repository any more. Concurrent verifications lose nothing of one another's. A check that is
 * dated in the future was dated by a clock that was wrong: any other counts for more.
 */
export async function updateLedger(
  database: ReplaceIn & Pick<DatabaseRepository, 'name'>,
  results: Partial<VerificationLedger>,
  existing: Existing,
  { now = Date.now(), ...options }: UpdateLedgerOptions = {},
): Promise<void> {
  const key = verificationKey(database.name)
  const next = async () => merge(await readLedger(database, options), results, existing, now)
  await replaceDocument(database, 'verification', key, next, options)
}

function merge(
  former: VerificationLedger,
  results: Partial<VerificationLedger>,
  { segments: segmentKeys, backups, listedAt }: Existing,
  now: number,
): VerificationLedger {
  const isKept = (keys: ReadonlySet<string>, key: string, noted: string) =>
    keys.has(key) || (listedAt !== undefined && noted > listedAt && !isInFuture(noted, now))
  const entries = (keys: ReadonlySet<string>, known: Entries, added: Entries = {}) =>
    select(newest(known, added, now), (key, { checkedAt }) => isKept(keys, key, checkedAt))
  const segments = entries(segmentKeys, former.segments, results.segments)
  const restores = entries(backups, former.restores, results.restores)
  const waiting = select({ ...results.waiting, ...former.waiting }, (key, since) => {
    const isChecked = segments[key] !== undefined || restores[key] !== undefined
    return !isChecked && (isKept(segmentKeys, key, since) || isKept(backups, key, since))
  })
  const untried = select({ ...former.untried, ...results.untried }, (id, since) => {
    return (restores[id]?.checkedAt ?? '') < since && !isInFuture(since, now) && isKept(backups, id, since)
  })
  return { segments, restores, waiting, untried, ...(former.pins === true ? { pins: true } : {}) }
}

type Entries = Readonly<Record<string, VerificationEntry>>

/** Of two verifications at once, the later check counts, whichever is written down first. */
function newest(former: Entries, added: Entries, now: number): Entries {
  const newer = select(added, (key, { checkedAt }) => {
    const known = former[key]
    return known === undefined || known.checkedAt <= checkedAt || isInFuture(known.checkedAt, now)
  })
  return { ...former, ...newer }
}

function select<T>(record: Readonly<Record<string, T>>, isKept: (key: string, value: T) => boolean): Record<string, T> {
  return Object.fromEntries(Object.entries(record).filter(([key, value]) => isKept(key, value)))
}
