import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { openTarget } from '../../../src/source/sqlite/target/open-target.ts'
import { assertDurable, recordDurability } from '../../support/durability-log.ts'
import { assertSameBytes, makeDatabase, TestFolder, wantedState, writeWanted } from './fixtures.ts'

for (const [what, replaces] of [
  ['a new file', false],
  ['one that replaces another', true],
] as const) {
  test(`a restored database is on the disk before it has its name, and its name when the restore is done: ${what}`, async () => {
    using folder = new TestFolder()
    const wanted = wantedState(folder, { pageSize: 4096, wal: true })
    const path = folder.file('app.db')
    if (replaces) makeDatabase(path, { seed: 2 })
    using log = await recordDurability()
    await using target = await openTarget(path, { ...wanted, force: replaces })
    await writeWanted(target, wanted)
    const { state, facts } = wanted
    await target.prove({ state, facts, level: 'quick', rowCounts: true, expectedForeignKeyViolations: 0 })
    const before = log.events.length
    await target.commit()
    assertDurable(log.events.slice(before), path)
    assertSameBytes(readFileSync(path), wanted.bytes)
  })
}
