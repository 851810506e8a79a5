/** Every kind of object is flipped, cut, deleted, swapped and replayed: verification names it, and no restore gives a wrong file. */
import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { HoldfastError, hasCode } from '../../src/errors.ts'
import { Repository } from '../../src/repository/repository.ts'
import { blockType } from '../../src/segment/block-type.ts'
import { openSegment } from '../../src/segment/read-segment.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'
import { verifyRepository } from '../../src/verify/verify-repository.ts'
import { seededRandom, testSeed } from '../support/random.ts'
import { segmentOf } from '../support/segment-of.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { restoreToMemory } from './support/memory-restore.ts'
import { backupChains, type KnownBackup, SampleDatabase } from './support/sample-database.ts'
import {
  flipped,
  readObjects,
  type StoredObjects,
  storeObjects,
  swapped,
  withObject,
  without,
} from './support/stored-objects.ts'

const seed = testSeed()
const random = seededRandom(seed)

let sound: StoredObjects = new Map()
const known = new Map<string, KnownBackup>()

before(async () => {
  using folder = temporaryFolder()
  const storage = new MemoryStorage()
  const repository = await Repository.init(storage)
  for (const name of ['app', 'shop'])
    for (const backup of await backupChains(new SampleDatabase(folder.path, name, { rows: 1200 }), repository))
      known.set(backup.metadata.id, backup)
  assert.ok((await verifyRepository(repository)).ok)
  sound = await readObjects(storage)
})

const marker = 'holdfast.json'
const segmentsOf = (name: string) => keysLike(new RegExp(`^databases/${name}/segments/`))
const manifestsOf = (name: string) => keysLike(new RegExp(`^databases/${name}/backups/`))
const keysLike = (pattern: RegExp) => [...sound.keys()].filter((key) => pattern.test(key))
const documents = () => keysLike(/^databases\/.*\.json$/)
const bytesOf = (key: string) => sound.get(key) ?? new Uint8Array()
const idOf = (key: string) => /-([a-z0-9]{12})\.json$/.exec(key)?.[1] ?? ''

/** The findings are exactly these; what they do not affect restores exactly, what they affect never gives a wrong file. */
async function assertFound(objects: StoredObjects, expected: readonly string[], about: string): Promise<void> {
  const repository = await Repository.open(await storeObjects(objects))
  const { ok, findings, restorable } = await verifyRepository(repository)
  const named = findings.map(({ object }) => object).sort()
  assert.deepEqual(named, [...expected].sort(), `${about}: ${JSON.stringify(findings)}`)
  assert.equal(ok, expected.length === 0, about)
  const lost = new Set(
    findings.flatMap(({ affectedBackups, database }) => affectedBackups.map((id) => `${database} ${id}`)),
  )
  const isLost = ({ metadata }: KnownBackup) => lost.has(`${metadata.database} ${metadata.id}`)
  const intact = [...known.values()].filter((backup) => !isLost(backup)).map(({ metadata }) => metadata.id)
  assert.deepEqual([...restorable].sort(), intact.sort(), about)
  for (const [id, backup] of known) {
    const { metadata, image } = backup
    const state = await restoreToMemory(repository.database(metadata.database), { by: 'backup', id }).catch(refusal)
    if (state !== undefined) assert.ok(state.equals(image), `${about}: backup ${id} came back wrong`)
    else assert.ok(isLost(backup), `${about}: backup ${id} is not affected, but does not restore`)
  }
}

function refusal(error: unknown): undefined {
  const expected = hasCode(error, 'INTEGRITY', 'FORMAT_TOO_NEW', 'STORAGE_CORRUPT', 'BACKUP_NOT_FOUND')
  assert.ok(expected, error instanceof Error ? error.stack : String(error))
  return undefined
}

/** One place in every region of a segment. */
async function regionsOf(key: string): Promise<{ readonly region: string; readonly at: number }[]> {
  const bytes = bytesOf(key)
  const { blocks } = await openSegment({
    size: bytes.length,
    async *read(offset, length) {
      yield bytes.subarray(offset, offset + length)
    },
  })
  const rootOffset = Number(Buffer.from(bytes).readBigUInt64LE(bytes.length - 48))
  const within = (from: number, to: number) => from + random.below(to - from)
  const places = [
    { region: 'header', at: within(0, 128) },
    { region: 'root', at: within(rootOffset, bytes.length - 48) },
    { region: 'trailer', at: within(bytes.length - 48, bytes.length) },
  ]
  for (const [region, type] of [
    ['records', blockType.records],
    ['page table', blockType.pageTable],
  ] as const) {
    const slots = [...blocks.slots(type)]
    for (const slot of new Set([slots[0], slots.at(-1)])) {
      if (slot === undefined) continue
      const from = blocks.offset(slot)
      places.push({ region: `${region} (block ${slot})`, at: within(from, from + blocks.storedLength(slot)) })
    }
  }
  return places
}

describe(`damage anywhere in the repository is found, named, and never restored (HOLDFAST_SEED=${seed})`, () => {
  it('the sound repository has nothing to complain of', () => assertFound(sound, [], 'sound'))

  it('a flipped bit in each region of each segment', async () => {
    for (const key of [...segmentsOf('app'), ...segmentsOf('shop')]) {
      const regions = await regionsOf(key)
      assert.ok(regions.length >= 5, key)
      for (const { region, at } of regions) {
        const damaged = withObject(sound, key, flipped(bytesOf(key), at, random.below(8)))
        await assertFound(damaged, [key], `a bit of byte ${at}, ${region}, of ${key}`)
      }
    }
  })

  it('a flipped bit anywhere in a document', async () => {
    for (const key of documents()) {
      const bytes = bytesOf(key)
      const firstLine = bytes.indexOf(0x0a)
      const places = [random.below(firstLine), firstLine, firstLine + 1 + random.below(bytes.length - firstLine - 1)]
      for (const at of [...places, bytes.length - 1]) {
        const damaged = withObject(sound, key, flipped(bytes, at, random.below(8)))
        await assertFound(damaged, [key], `a bit of byte ${at} of ${key}`)
      }
    }
  })

  it('an object that was cut', async () => {
    for (const key of [...documents(), ...segmentsOf('app')]) {
      const bytes = bytesOf(key)
      for (const length of [0, 1, 47, 128, random.below(bytes.length), bytes.length - 1]) {
        if (length >= bytes.length) continue
        await assertFound(withObject(sound, key, bytes.subarray(0, length)), [key], `${key} cut to ${length} bytes`)
      }
    }
  })

  it('an object that something was appended to', async () => {
    for (const key of [...documents(), ...segmentsOf('app')]) {
      const longer = Buffer.concat([bytesOf(key), Buffer.from('\n')])
      await assertFound(withObject(sound, key, longer), [key], `${key} with a byte more`)
    }
  })

  it('a segment or record that was deleted', async () => {
    for (const key of [...segmentsOf('app'), ...segmentsOf('shop'), ...keysLike(/database\.json$/)])
      await assertFound(without(sound, key), [key], `${key} deleted`)
  })

  it('a manifest that was deleted, when another backup builds on it', async () => {
    const parents = new Set([...known.values()].map(({ metadata }) => metadata.parent))
    for (const key of [...manifestsOf('app'), ...manifestsOf('shop')]) {
      const id = idOf(key)
      const repository = await Repository.open(await storeObjects(without(sound, key)))
      const { findings, restorable } = await verifyRepository(repository)
      // Without a child it cannot be told from a backup that was interrupted before its manifest.
      assert.deepEqual(
        findings.map(({ object }) => object),
        parents.has(id) ? [id] : [],
        key,
      )
      assert.deepEqual([...restorable].sort(), [...known.keys()].filter((other) => other !== id).sort())
    }
  })

  it('a backup whose manifest and segment are both gone takes those with it that build on it', async () => {
    const [first, ...rest] = [...known.values()].filter(({ metadata }) => metadata.database === 'app')
    assert.ok(first)
    const manifest = manifestsOf('app').find((key) => idOf(key) === first.metadata.id) ?? ''
    const repository = await Repository.open(await storeObjects(without(sound, manifest, segmentOf(first.metadata))))
    const { ok, findings, restorable } = await verifyRepository(repository, { databases: ['app'] })
    assert.equal(ok, false)
    const lost = new Set(findings.flatMap(({ affectedBackups }) => affectedBackups))
    const [incremental, snapshot, full, last] = rest.map(({ metadata }) => metadata.id)
    assert.ok(lost.has(incremental ?? '') && lost.has(snapshot ?? ''), JSON.stringify(findings))
    assert.deepEqual(restorable, [full, last])
  })

  it('two segments, or two manifests, that were swapped, also across databases', async () => {
    const kinds = [
      [...segmentsOf('app'), ...segmentsOf('shop')],
      [...manifestsOf('app'), ...manifestsOf('shop')],
      keysLike(/database\.json$/),
    ]
    for (const keys of kinds)
      for (const [i, a] of keys.entries())
        for (const b of keys.slice(i + 1)) await assertFound(swapped(sound, a, b), [a, b], `${a} and ${b} swapped`)
  })

  it('an old manifest that was put under a new name', async () => {
    for (const key of manifestsOf('app')) {
      const replayed = key.replace(/\d{8}T\d{9}Z/, '20990101T000000000Z')
      await assertFound(withObject(sound, replayed, bytesOf(key)), [replayed], `${key} replayed by time`)
      const renamed = key.replace(idOf(key), 'aaaaaaaaaaaa')
      const repository = await Repository.open(await storeObjects(withObject(sound, renamed, bytesOf(key))))
      const { findings } = await verifyRepository(repository)
      assert.deepEqual(
        findings.map(({ object }) => object),
        [renamed],
      )
      const elsewhere = key.replace('databases/app/', 'databases/shop/')
      await assertFound(withObject(sound, elsewhere, bytesOf(key)), [elsewhere], `${key} replayed elsewhere`)
    }
  })

  it('an object that does not belong there', async () => {
    const stray = 'databases/app/segments/notes.txt'
    await assertFound(withObject(sound, stray, Buffer.from('hello')), [stray], 'a stray file')
  })

  it('the marker: the repository does not open, and says which object is damaged', async () => {
    const bytes = bytesOf(marker)
    const damaged = [
      ...Array.from({ length: 20 }, () => flipped(bytes, random.below(bytes.length), random.below(8))),
      bytes.subarray(0, 0),
      bytes.subarray(0, random.below(bytes.length)),
    ]
    for (const one of damaged) {
      await assert.rejects(Repository.open(await storeObjects(withObject(sound, marker, one))), (error) => {
        assert.ok(error instanceof HoldfastError && ['INTEGRITY', 'FORMAT_TOO_NEW'].includes(error.code), String(error))
        assert.equal(error.object, marker)
        return true
      })
    }
    await assert.rejects(Repository.open(await storeObjects(without(sound, marker))), (error) =>
      hasCode(error, 'INTEGRITY'),
    )
  })
})
