import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { openTarget } from '../../../src/source/sqlite/target/open-target.ts'
import { assertSameBytes, makeDatabase, TestFolder, wantedState, writeWanted } from './fixtures.ts'

/** A file system of 2 MB. */
class SmallDisk implements Disposable {
  readonly #folder = new TestFolder()
  readonly path = this.#folder.path

  constructor() {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', this.path], { stdio: 'pipe' })
  }

  /** Leaves `bytes` free. */
  fill(bytes: number): void {
    const { bavail, bsize } = statfsSync(this.path)
    writeFileSync(join(this.path, 'ballast'), Buffer.alloc(bavail * bsize - bytes))
  }

  [Symbol.dispose](): void {
    execFileSync('umount', [this.path])
    this.#folder[Symbol.dispose]()
  }
}

function whyNot(): string | false {
  try {
    using _disk = new SmallDisk()
    return false
  } catch (error) {
    if (process.env['HOLDFAST_REQUIRE_PARTS'] === '1') throw error
    return 'mounting a tmpfs is not permitted here'
  }
}

const skip = whyNot()

for (const mode of ['create', 'replace', 'delta'] as const) {
  for (const [when, free] of [
    ['before the first page', 3 * 4096],
    ['in the middle', 400_000],
    ['near the end', 700_000],
  ] as const) {
    test(`${mode}: the disk is full ${when}; the old file stands, and nothing else`, { skip }, async () => {
      using folder = new TestFolder()
      using disk = new SmallDisk()
      const wanted = wantedState(folder, { rows: 1800, seed: 1 })
      assert.ok(wanted.bytes.length > 750_000 && wanted.bytes.length < 1_200_000, `${wanted.bytes.length}`)
      const path = join(disk.path, 'app.db')
      if (mode !== 'create') makeDatabase(path, { rows: mode === 'delta' ? 1700 : 300, seed: 2 })
      const old = mode === 'create' ? undefined : readFileSync(path)
      // The early look at the free space passes; then someone else takes it.
      const restore = async () => {
        await using target = await openTarget(path, {
          ...wanted,
          force: true,
          delta: mode === 'delta',
          heldBytes: 65536,
        })
        assert.equal(target.mode, mode)
        disk.fill(free)
        await writeWanted(target, wanted)
        await target.prove({ state: wanted.state, level: 'none', rowCounts: false })
        await target.commit()
      }
      await assert.rejects(restore(), { code: 'DISK_FULL' })
      rmSync(join(disk.path, 'ballast'))
      assert.deepEqual(readdirSync(disk.path), old === undefined ? [] : ['app.db'])
      if (old !== undefined) assertSameBytes(readFileSync(path), old)
    })
  }
}

test('delta: there must be room for what the journal keeps, too', { skip }, async () => {
  using folder = new TestFolder()
  using disk = new SmallDisk()
  const wanted = wantedState(folder, { rows: 1800, seed: 1 })
  const path = join(disk.path, 'app.db')
  makeDatabase(path, { rows: 1800, seed: 2 })
  const old = readFileSync(path)
  disk.fill(300_000)
  await using target = await openTarget(path, { ...wanted, delta: true })
  assert.equal(target.mode, 'delta')
  const few = new Uint8Array(wanted.pageCount).fill(1, 0, 10)
  await target.expect?.(few)
  await assert.rejects(async () => target.expect?.(new Uint8Array(wanted.pageCount).fill(1)), {
    code: 'DISK_FULL',
    message: /needs [\d.]+ KiB in .*; 29\d KiB are free|needs [\d.]+ MiB in .*; 29\d KiB are free/,
  })
  await target[Symbol.asyncDispose]()
  assertSameBytes(readFileSync(path), old)
})

test('a disk that is too small is refused before the first byte', { skip }, async () => {
  using disk = new SmallDisk()
  await assert.rejects(openTarget(join(disk.path, 'app.db'), { pageSize: 4096, pageCount: 600 }), { code: 'DISK_FULL' })
  assert.deepEqual(readdirSync(disk.path), [])
})
