/** A storage that answers "done", and keeps something other than what it was given. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createBackup } from '../../src/backup/create-backup.ts'
import { hasCode } from '../../src/errors.ts'
import { Repository } from '../../src/repository/repository.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'
import type { ObjectInfo, PutBody, PutOptions } from '../../src/storage/storage.ts'
import { collectBytes } from '../../src/util/bytes.ts'
import { verifyRepository } from '../../src/verify/verify-repository.ts'
import { PageSource } from '../support/page-source.ts'
import { readState } from '../support/read-state.ts'

/** What is kept in place of a segment; undefined for nothing at all. */
type Spoil = (segment: Buffer) => Buffer | undefined

class SpoilingStorage extends MemoryStorage {
  spoil: Spoil = (segment) => segment
  spoiled = 0

  override async put(key: string, body: PutBody, options?: PutOptions): Promise<ObjectInfo> {
    if (!key.endsWith('.hfs')) return await super.put(key, body, options)
    const info = await super.put(key, body, options)
    const whole = Buffer.from(await collectBytes(this.get(key)))
    const kept = this.spoil(Buffer.from(whole))
    if (kept?.equals(whole) === true) return info
    this.spoiled += 1
    if (kept === undefined) await super.delete(key)
    else await super.put(key, kept)
    return info
  }
}

const flipped =
  (at: (size: number) => number): Spoil =>
  (segment) => {
    const offset = at(segment.length)
    segment.writeUInt8(segment.readUInt8(offset) ^ 1, offset)
    return segment
  }

const spoils: Record<string, Spoil> = {
  'a flipped bit in the header': flipped(() => 24),
  'a flipped bit in a block': flipped(() => 140),
  'a flipped bit in the root': flipped((size) => size - 60),
  'a flipped bit in the trailer': flipped((size) => size - 20),
  'no more than the first half': (segment) => segment.subarray(0, segment.length / 2),
  'one byte too many': (segment) => Buffer.concat([segment, Buffer.alloc(1)]),
  nothing: () => undefined,
}

describe('a backup of which the storage keeps', () => {
  for (const [what, spoil] of Object.entries(spoils)) {
    it(`${what} fails, and every earlier one stays exact`, async () => {
      const storage = new SpoilingStorage()
      await Repository.init(storage)
      const repository = await Repository.open(storage)
      const source = new PageSource().fill(200, 1)
      const first = await createBackup(source, repository, { type: 'full' })
      const before = source.image()
      source.change(7, 3)

      for (const type of ['incremental', 'full'] as const) {
        storage.spoil = spoil
        await assert.rejects(createBackup(source, repository, { type }), (thrown) => hasCode(thrown, 'STORAGE_CORRUPT'))
        storage.spoil = (segment) => segment
        const { backups, segments } = await repository.database('app').catalog()
        assert.deepEqual(
          backups.map(({ id }) => id),
          [first.metadata.id],
        )
        assert.equal(segments.length, 1, 'what cannot be trusted is taken back')
      }
      assert.equal(storage.spoiled, 2)
      assert.deepEqual(await readState(repository.database('app'), first.metadata.lsn), before)

      const again = await createBackup(source, repository, { type: 'incremental' })
      assert.deepEqual(await readState(repository.database('app'), again.metadata.lsn), source.image())
      const { ok, findings } = await verifyRepository(repository, { level: 'data' })
      assert.ok(ok, JSON.stringify(findings))
    })
  }
})
