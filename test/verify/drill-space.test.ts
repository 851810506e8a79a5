/** A scratch folder without room: that says nothing about the backup. */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { describe, it } from 'node:test'
import { Repository } from '../../src/repository/repository.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'
import { ObserveStorage } from '../../src/storage/observe/observe-storage.ts'
import { drillDatabase } from '../../src/verify/drill/drill-database.ts'
import { SampleDatabase } from '../scenarios/support/sample-database.ts'
import { SmallDisk, whyNoSmallDisk } from '../scenarios/support/small-disk.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

describe('a drill on a disk that is too small', { skip: whyNoSmallDisk() }, () => {
  it('is inconclusive before it has fetched the database, leaves nothing, and passes once there is room', async () => {
    using folder = temporaryFolder()
    using disk = new SmallDisk(8)
    let received = 0
    const storage = new ObserveStorage(new MemoryStorage(), ({ direction, bytes }) => {
      if (direction === 'received') received += bytes
    })
    const repository = await Repository.init(storage)
    const { metadata } = await new SampleDatabase(folder.path, 'app', { rows: 8000 }).backup(repository, {
      type: 'full',
    })
    disk.fill(metadata.databaseBytes - 100_000)
    received = 0
    const { verdict, reasons, failure } = await drillDatabase(repository, 'app', { scratchFolder: disk.path })
    assert.equal(verdict, 'inconclusive')
    assert.match(reasons[0] ?? '', /^The restore needs [\d.]+ MiB in .*; [\d.]+ [KM]iB are free\.$/)
    assert.equal(failure?.code, 'DISK_FULL')
    assert.deepEqual(readdirSync(disk.path), ['ballast'])
    assert.ok(received < metadata.storedBytes / 2)
    disk.free()
    assert.equal((await drillDatabase(repository, 'app', { scratchFolder: disk.path })).verdict, 'passed')
    assert.deepEqual(readdirSync(disk.path), [])
  })
})
