import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { hasCode } from '../../src/errors.ts'
import { withExclusiveLock } from '../../src/storage/local/exclusive-lock.ts'
import { holdExclusiveLock } from '../../src/storage/local/held-locks.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

/** More than one connection of SQLite holds. */
const many = 25

function freeForOthers(paths: readonly string[]): readonly boolean[] {
  const fixture = join(import.meta.dirname, 'fixtures', 'try-locks.ts')
  const { stdout, stderr } = spawnSync(process.execPath, [fixture, ...paths], { encoding: 'utf8' })
  assert.notEqual(stdout, '', stderr)
  const free: unknown = JSON.parse(stdout)
  assert(Array.isArray(free))
  return free
}

describe('locks that are held for long', () => {
  it('keep other processes out, and this one, until each is let go', async () => {
    using folder = temporaryFolder()
    const paths = Array.from({ length: many }, (_, index) => folder.file(`lock ${index}'s`))
    const held = await Promise.all(paths.map((path) => holdExclusiveLock(path)))
    assert(held.every((lock) => lock !== undefined))
    assert.deepEqual(new Set(freeForOthers(paths)), new Set([false]))
    for (const path of paths) assert.equal(await holdExclusiveLock(path), undefined)
    await assert.rejects(
      withExclusiveLock(paths[0] ?? '', async () => {}, { waitMs: 0 }),
      (error) => hasCode(error, 'STORAGE_TRANSIENT'),
    )

    const letGo = [0, 3, 9, 10, 24]
    for (const index of letGo) {
      held[index]?.[Symbol.dispose]()
      held[index]?.[Symbol.dispose]()
    }
    assert.deepEqual(
      freeForOthers(paths),
      paths.map((_, index) => letGo.includes(index)),
    )
    const again = await Promise.all(letGo.map((index) => holdExclusiveLock(paths[index] ?? '')))
    assert.deepEqual(new Set(freeForOthers(paths)), new Set([false]))
    for (const lock of [...held, ...again]) lock?.[Symbol.dispose]()
    assert.deepEqual(new Set(freeForOthers(paths)), new Set([true]))
  })

  it('leave the others held when one cannot be had', async () => {
    using folder = temporaryFolder()
    using first = await holdExclusiveLock(folder.file('first'))
    assert(first !== undefined)
    mkdirSync(folder.file('folder'))
    await assert.rejects(holdExclusiveLock(folder.file('folder')), (error) => hasCode(error, 'STORAGE_DENIED'))
    await assert.rejects(holdExclusiveLock(folder.file('missing/lock')))
    assert.equal(await holdExclusiveLock(folder.file('first')), undefined)
    using second = await holdExclusiveLock(folder.file('second'))
    assert(second !== undefined)
    assert.deepEqual(freeForOthers([folder.file('first'), folder.file('second')]), [false, false])
  })
})
