import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Room } from '../../src/backup/room.ts'
import { mirrorTo } from '../../src/maintenance/mirror/mirror-to.ts'
import { documentVersion } from '../../src/repository/document.ts'
import {
  instructions,
  instructionsVersion,
  isNewer,
  putInstructions,
  statedVersion,
} from '../../src/repository/instructions.ts'
import { formatKey, recoveryKey } from '../../src/repository/layout.ts'
import { layoutVersion } from '../../src/repository/marker.ts'
import { Repository } from '../../src/repository/repository.ts'
import { formatVersion } from '../../src/segment/limits.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'
import type { BackupStorage } from '../../src/storage/storage.ts'
import { collectBytes } from '../../src/util/bytes.ts'

const keys = [recoveryKey, formatKey]

async function texts(storage: BackupStorage): Promise<string[]> {
  return await Promise.all(keys.map(async (key) => Buffer.from(await collectBytes(storage.get(key))).toString()))
}

/** As a program of another version would have written them. */
async function writtenBy(version: number): Promise<Map<string, Buffer>> {
  return new Map(
    (await instructions()).map(([key, text]) => {
      const other = Buffer.from(text)
        .toString()
        .replace(/format version \d+/i, `format version ${version}`)
      return [key, Buffer.from(`${other}\nThe program of version ${version} was here.\n`)]
    }),
  )
}

async function put(storage: BackupStorage, all: ReadonlyMap<string, Buffer>): Promise<void> {
  for (const [key, text] of all) await storage.put(key, text)
}

const own = async () => (await instructions()).map(([, text]) => Buffer.from(text).toString())
const strings = (all: ReadonlyMap<string, Buffer>) => keys.map((key) => all.get(key)?.toString())

describe('the instructions beside the data', () => {
  it('state a version, which is that of the newest of the formats', async () => {
    const all = await instructions()
    assert.deepEqual(
      all.map(([key, text]) => [key, statedVersion(text)]),
      keys.map((key) => [key, instructionsVersion]),
    )
    assert.ok(instructionsVersion >= Math.max(layoutVersion, documentVersion, formatVersion))
  })

  it('are newer by what they state near their beginning, and by nothing else', () => {
    const text = (words: string) => Buffer.from(`# Title\n\n${words}\n`)
    assert.equal(isNewer(text('It is in Format version 2.'), text('format version 1')), true)
    assert.equal(isNewer(text('format version 10'), text('format version 9')), true)
    assert.equal(isNewer(text('format version 1'), text('format version 1')), false)
    assert.equal(isNewer(text('format version 1'), text('none')), true)
    assert.equal(isNewer(text('ransom'), text('format version 1')), false)
    assert.equal(isNewer(text(`${' '.repeat(2000)}format version 2`), text('format version 1')), false)
    assert.equal(isNewer(text('format version 99999999999'), text('format version 1')), false)
  })

  it('of a newer program are left by an older one that completes a repository, or makes one of a place without its marker', async () => {
    const storage = new MemoryStorage()
    const newer = await writtenBy(instructionsVersion + 1)
    await put(storage, newer)
    await Repository.init(storage)
    assert.deepEqual(await texts(storage), strings(newer))
  })

  it('of an older program, damaged and missing ones are written anew', async () => {
    const storage = new MemoryStorage()
    await put(storage, await writtenBy(0))
    await putInstructions(storage)
    assert.deepEqual(await texts(storage), await own())
    await storage.put(recoveryKey, Buffer.from('ransom'))
    await storage.delete(formatKey)
    await putInstructions(storage)
    assert.deepEqual(await texts(storage), await own())
  })

  it('of a newer program are left on a mirror', async () => {
    const source = await Repository.init(new MemoryStorage())
    const mirror = new MemoryStorage()
    await mirrorTo(source, mirror)
    const newer = await writtenBy(instructionsVersion + 1)
    await put(mirror, newer)
    await mirrorTo(source, mirror)
    assert.deepEqual(await texts(mirror), strings(newer))
    await put(mirror, await writtenBy(0))
    await mirrorTo(source, mirror)
    assert.deepEqual(await texts(mirror), await own())
  })

  it('that stepped aside come back, unless newer ones were put there meanwhile', async () => {
    const storage = new MemoryStorage()
    const repository = await Repository.init(storage)
    const place = { storage, name: storage.url, repository }
    const [, format = assert.fail()] = await own()
    const newer = (await writtenBy(instructionsVersion + 1)).get(formatKey) ?? assert.fail()
    for (const [aside, meanwhile, after] of [
      [format, undefined, format],
      [format, newer.toString(), newer.toString()],
      [newer.toString(), format, newer.toString()],
    ] as const) {
      await storage.put(formatKey, Buffer.from(aside))
      {
        await using room = new Room(place)
        assert.equal(await room.make(), true)
        assert.equal(await storage.head(formatKey), undefined)
        if (meanwhile !== undefined) await storage.put(formatKey, Buffer.from(meanwhile))
      }
      assert.equal((await texts(storage))[1], after)
    }
  })
})
