import { hasCode } from '../errors.ts'
import type { DatabaseRepository } from '../repository/database-repository.ts'
import { readDrills } from '../repository/drill-record.ts'
import { requirePins } from '../repository/known-pins.ts'
import { leaseHolder } from '../repository/lease.ts'
import { readRetention } from '../repository/retention-record.ts'
import { readLedger } from '../repository/verification-ledger.ts'
import type { OperationOptions } from '../storage/storage.ts'

/**
 * The lease, the verification ledger and the record of drills, if they are damaged: no backup needs them, and their next writer replaces them.
 * And the pins, if they are lost.
 */
export async function unreadableSideDocuments(
  database: DatabaseRepository,
  options: OperationOptions,
): Promise<{ readonly key: string; readonly problem: string }[]> {
  const found: { key: string; problem: string }[] = []
  const readers = [
    () => leaseHolder(database, options),
    () => readLedger(database, { ...options, strict: true }),
    () => readDrills(database, { ...options, strict: true }),
    async () => {
      // That there are pins is noted after them, so what is noted must be there. A damaged record is found elsewhere.
      const ledger = await readLedger(database, options)
      if (ledger.pins === true) requirePins(database, ledger, await readRetention(database, options))
    },
  ]
  for (const read of readers) {
    try {
      await read()
    } catch (error) {
      if (!hasCode(error, 'INTEGRITY', 'FORMAT_TOO_NEW', 'STORAGE_CORRUPT')) throw error
      found.push({ key: error.object ?? database.name, problem: error.message })
    }
  }
  return found
}
