import assert from 'node:assert/strict'
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs'
import type { SourceSnapshot } from '../../src/source/source.ts'
import { lockPage } from '../../src/util/lock-page.ts'
import { pageHash } from '../../src/util/page-hash.ts'

/** Writes a snapshot as a database file, and checks the contract of `pages()` on the way. */
export async function writeSnapshot(snapshot: SourceSnapshot, path: string): Promise<void> {
  const { pageSize, pageCount } = snapshot
  const target = openSync(path, 'w')
  try {
    let next = 1
    for await (const { pages, values, hashes } of snapshot.pages()) {
      assert.equal(values.length, pages.length * pageSize)
      assert.equal(hashes.length, pages.length)
      for (const [index, page] of pages.entries()) {
        if (next === lockPage(pageSize)) next++
        assert.equal(page, next, 'pages ascend without holes, the lock page left out')
        next++
        const value = values.subarray(index * pageSize, (index + 1) * pageSize)
        assert.equal(hashes[index], pageHash(page, value))
        writeSync(target, value, 0, pageSize, (page - 1) * pageSize)
      }
    }
    if (next === lockPage(pageSize)) next++
    assert.equal(next, pageCount + 1)
    ftruncateSync(target, pageCount * pageSize)
  } finally {
    closeSync(target)
  }
}
