import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'

/**
 * Header fields that SQLite's backup API sets anew in the copy: write and read version, change counter, schema cookie,
 * version-valid-for and library version.
 */
const ownToTheCopy: readonly (readonly [number, number])[] = [
  [18, 20],
  [24, 28],
  [40, 44],
  [92, 100],
]

/** Compares two database files page for page; the second was made by SQLite's backup API. */
export function assertSamePages(path: string, backup: string, pageSize: number): void {
  const [ours, theirs] = [path, backup].map((file) => {
    const bytes = readFileSync(file)
    for (const [from, to] of ownToTheCopy) bytes.fill(0, from, to)
    return bytes
  })
  assert(ours && theirs)
  assert.equal(ours.length, theirs.length, 'number of pages')
  for (let start = 0; start < ours.length; start += pageSize) {
    const isSame = ours.subarray(start, start + pageSize).equals(theirs.subarray(start, start + pageSize))
    assert(isSame, `page ${start / pageSize + 1} differs`)
  }
}
