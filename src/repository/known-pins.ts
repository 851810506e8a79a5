/** That backups were pinned by hand is noted beside the pins too: if their document is lost, nobody may take that for none having been pinned. */
import { HoldfastError } from '../errors.ts'
import type { OperationOptions } from '../storage/storage.ts'
import type { DatabaseRepository } from './database-repository.ts'
import { retentionKey, verificationKey } from './layout.ts'
import { replaceDocument } from './replace-document.ts'
import { noRetentionRecord, type RetentionRecord } from './retention-record.ts'
import { readLedger, type VerificationLedger } from './verification-ledger.ts'

/** To be called when there are pins. @throws STORAGE_*, DISK_FULL, ABORTED */
export async function notePins(database: DatabaseRepository, options: OperationOptions = {}): Promise<void> {
  const next = async () => {
    const ledger = await readLedger(database, options)
    return ledger.pins === true ? undefined : { ...ledger, pins: true }
  }
  await replaceDocument(database, 'verification', verificationKey(database.name), next, options)
}

/** @param record as it was read @throws INTEGRITY if there were pins, and their document is gone */
export function requirePins(
  { name }: Pick<DatabaseRepository, 'name'>,
  { pins }: Pick<VerificationLedger, 'pins'>,
  record: RetentionRecord,
): void {
  if (pins !== true || record !== noRetentionRecord) return
  const key = retentionKey(name)
  throw new HoldfastError('INTEGRITY', `The pins of ${name} are lost: ${key} is gone, and no backup is let go.`, {
    object: key,
    hint: 'Bring it back from a copy, or pin again what is to be kept ("holdfast pin"), which begins a new one.',
  })
}
