/**
 * What was verified when: one document a database, replaced by compare-and-swap. It is knowledge about backups, not part of
 * them: losing it costs a verification, nothing else.
 */
import { z } from 'zod'
import { hasCode } from '../errors.ts'
import type { OperationOptions } from '../storage/storage.ts'
import type { DatabaseRepository } from './database-repository.ts'
import { readDocument, writeDocument } from './documents.ts'
import { verificationKey } from './layout.ts'

const entry = z.strictObject({
  /** ISO 8601. */
  checkedAt: z.iso.datetime({ precision: 3 }),
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
})
export type VerificationLedger = z.infer<typeof ledger>

const attempts = 20

/** An unreadable ledger counts as none, unless `strict`: everything is then checked as if for the first time. */
export async function readLedger(
  database: DatabaseRepository,
  { strict = false, ...options }: OperationOptions & { readonly strict?: boolean | undefined } = {},
): Promise<VerificationLedger> {
  try {
    const found = await readDocument(database.storage, 'verification', ledger, verificationKey(database.name), options)
    return found ?? { segments: {}, restores: {} }
  } catch (error) {
    if (!strict && hasCode(error, 'INTEGRITY')) return { segments: {}, restores: {} }
    throw error
  }
}

/** Adds results, and forgets what is not in the repository any more. Concurrent verifications lose nothing of one another's. */
export async function updateLedger(
  database: DatabaseRepository,
  results: VerificationLedger,
  exists: { readonly segments: ReadonlySet<string>; readonly backups: ReadonlySet<string> },
  options: OperationOptions = {},
): Promise<void> {
  const { storage, name, repository } = database
  const key = verificationKey(name)
  for (let attempt = 1; ; attempt += 1) {
    const before = await storage.head(key, options)
    const former = await readLedger(database, options)
    const next: VerificationLedger = {
      segments: keep({ ...former.segments, ...results.segments }, exists.segments),
      restores: keep({ ...former.restores, ...results.restores }, exists.backups),
    }
    const { conditionalCreate, conditionalReplace } = repository.capabilities
    const condition =
      before === undefined
        ? conditionalCreate
          ? { ifAbsent: true }
          : {}
        : conditionalReplace
          ? { ifMatch: before.etag }
          : {}
    try {
      await writeDocument(storage, 'verification', key, next, { ...options, ...condition })
      return
    } catch (error) {
      if (attempt >= attempts || !hasCode(error, 'OBJECT_EXISTS', 'OBJECT_CHANGED', 'OBJECT_NOT_FOUND')) throw error
    }
  }
}

function keep(
  entries: Record<string, VerificationEntry>,
  existing: ReadonlySet<string>,
): Record<string, VerificationEntry> {
  return Object.fromEntries(Object.entries(entries).filter(([key]) => existing.has(key)))
}
