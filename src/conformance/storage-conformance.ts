import { randomBytes } from 'node:crypto'
import { after, describe, it } from 'node:test'
import type { BackupStorage } from '../storage/storage.ts'
import { conditionCases } from './storage/conditions.ts'
import { interruptionCases, memoryCases } from './storage/interruption.ts'
import { keyCases } from './storage/keys.ts'
import { listingCases } from './storage/listing.ts'
import { rangeCases } from './storage/ranges.ts'
import { replacementCases } from './storage/replacement.ts'
import { roundTripCases } from './storage/round-trip.ts'
import type { StorageCase } from './storage/storage-case.ts'

export interface StorageSkip {
  /** Name of the test, exactly. */
  readonly test: string
  /** Why this storage cannot or need not pass it; shown in the test report. */
  readonly reason: string
}

export interface StorageConformanceOptions {
  /** Heads the tests in the report. */
  readonly name: string
  /** Opens the storage. Called several times; always leads to the same objects. They may include others than the kit's. */
  readonly open: () => Promise<BackupStorage>
  /** Called once, after all tests. The kit has deleted its objects before, as far as the storage let it. */
  readonly cleanUp?: (() => Promise<void>) | undefined
  readonly skip?: readonly StorageSkip[] | undefined
  /** It keeps its objects in the memory of this process; then nothing is tested about how much memory it takes. Default: false. */
  readonly keepsObjectsInMemory?: boolean | undefined
}

const generalCases: readonly StorageCase[] = [
  ...roundTripCases,
  ...rangeCases,
  ...replacementCases,
  ...conditionCases,
  ...listingCases,
  ...keyCases,
  ...interruptionCases,
]

/**
 * Registers tests (of node:test) that show whether a storage keeps the contract of `BackupStorage`. Tests of something that the storage's
 * `capabilities` deny are skipped by themselves.
 *
 * @example the whole compliance test of a storage
 * import { testBackupStorage } from 'holdfast/conformance'
 * import { MyStorage } from '../src/my-storage.ts'
 *
 * testBackupStorage({
 *   name: 'MyStorage',
 *   open: async () => new MyStorage('my://test-bucket'),
 *   skip: [{ test: 'tells keys apart that differ in case only', reason: 'My service ignores case.' }],
 * })
 */
export function testBackupStorage(options: StorageConformanceOptions): void {
  const cases = options.keepsObjectsInMemory === true ? generalCases : [...generalCases, ...memoryCases]
  const reasons = skipReasons(options.skip ?? [], cases)
  describe(`${options.name} keeps the storage contract`, () => {
    for (const one of cases) {
      const skip = reasons.get(one.name) ?? false
      it(one.name, { skip }, async (test) => {
        const storage = await options.open()
        if (one.needs !== undefined && !storage.capabilities[one.needs])
          test.skip(`The storage does not claim ${one.needs}.`)
        else await runCase(one, storage, await options.open())
        await storage.close()
      })
    }
    after(options.cleanUp)
  })
}

async function runCase(one: StorageCase, storage: BackupStorage, other: BackupStorage): Promise<void> {
  const prefix = `conformance-${randomBytes(6).toString('hex')}/`
  try {
    await one.run({ storage, other, prefix })
  } finally {
    for await (const { key } of storage.list(prefix)) await storage.delete(key)
    await other.close()
  }
}

/** A skip that names no test would go unnoticed when a test is renamed. */
function skipReasons(skips: readonly StorageSkip[], cases: readonly StorageCase[]): Map<string, string> {
  for (const { test } of skips) {
    if (!cases.some((one) => one.name === test)) throw new RangeError(`The conformance kit has no test "${test}".`)
  }
  return new Map(skips.map(({ test, reason }) => [test, reason]))
}
