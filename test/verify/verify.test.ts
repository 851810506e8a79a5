/** What verification looks at, level by level and part by part, and what it remembers. */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { createBackup } from '../../src/backup/create-backup.ts'
import { HoldfastError, hasCode } from '../../src/errors.ts'
import { Repository } from '../../src/repository/repository.ts'
import { readLedger } from '../../src/repository/verification-ledger.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'
import type { VerifyLevel } from '../../src/verify/verify-options.ts'
import { verifyRepository } from '../../src/verify/verify-repository.ts'
import { backupChains, type KnownBackup, SampleDatabase } from '../scenarios/support/sample-database.ts'
import { flipped, readObjects, type StoredObjects, storeObjects } from '../scenarios/support/stored-objects.ts'
import { PageSource } from '../support/page-source.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

let sound: StoredObjects = new Map()
const known: { app: KnownBackup[]; shop: KnownBackup[] } = { app: [], shop: [] }
const folder = temporaryFolder()

before(async () => {
  const storage = new MemoryStorage()
  const repository = await Repository.init(storage)
  known.app = await backupChains(new SampleDatabase(folder.path, 'app'), repository)
  known.shop = await backupChains(new SampleDatabase(folder.path, 'shop'), repository)
  sound = await readObjects(storage)
})
after(() => folder[Symbol.dispose]())

interface Scene {
  readonly repository: Repository
  readonly storage: MemoryStorage
  damage(key: string, part: number): Promise<void>
}

async function scene(): Promise<Scene> {
  const storage = await storeObjects(sound)
  return {
    storage,
    repository: await Repository.open(storage),
    damage: async (key, part) => {
      const bytes = sound.get(key) ?? new Uint8Array()
      await storage.put(key, flipped(bytes, Math.floor(bytes.length * part)))
    },
  }
}

const segment = (index: number) => known.app.at(index)?.metadata.segment ?? ''
const id = (index: number) => known.app.at(index)?.metadata.id ?? ''

describe('a verification', () => {
  it('counts what it looked at', async () => {
    const { repository } = await scene()
    const seen: Record<string, unknown> = {}
    for (const level of ['metadata', 'data', 'restore'] as const) {
      const { ok, findings, remaining, restorable, checked } = await verifyRepository(repository, {
        level,
        databases: ['app'],
      })
      assert.deepEqual([ok, findings, remaining], [true, [], 0])
      assert.deepEqual(
        restorable,
        known.app.map(({ metadata }) => metadata.id),
      )
      seen[level] = { ...checked, bytes: checked.bytes > 0 }
    }
    assert.deepEqual(seen, {
      metadata: { manifests: 5, segments: 0, bytes: false, restores: 0 },
      data: { manifests: 5, segments: 5, bytes: true, restores: 0 },
      restore: { manifests: 5, segments: 5, bytes: true, restores: 5 },
    })
  })

  it('finds at each level what belongs to it', async () => {
    const places = { index: 0.999, records: 0.3 }
    const found: Record<string, VerifyLevel[]> = { index: [], records: [] }
    for (const [place, part] of Object.entries(places)) {
      for (const level of ['metadata', 'data'] as const) {
        const { repository, damage } = await scene()
        await damage(segment(3), part)
        const { findings } = await verifyRepository(repository, { level })
        if (findings.length === 0) continue
        assert.deepEqual(
          findings.map(({ object, affectedBackups }) => [object, affectedBackups]),
          [[segment(3), [id(3), id(4)]]],
        )
        found[place]?.push(level)
      }
    }
    assert.deepEqual(found, { index: ['metadata', 'data'], records: ['data'] })
  })

  it('restores every backup at its deepest level, into a folder that goes away', async () => {
    using scratch = temporaryFolder()
    const { repository } = await scene()
    const phases = new Set<string>()
    const options = { level: 'restore', databases: ['shop'], scratchFolder: scratch.path } as const
    const { checked } = await verifyRepository(repository, { ...options, onProgress: ({ phase }) => phases.add(phase) })
    assert.equal(checked.restores, 5)
    assert.deepEqual(readdirSync(scratch.path), [])
    assert.deepEqual([...phases], ['metadata', 'data', 'restore'])
  })

  it('looks at one backup and its chain, when asked to', async () => {
    const { repository, damage } = await scene()
    await damage(segment(3), 0.3)
    const first = await verifyRepository(repository, { databases: ['app'], backup: id(2) })
    assert.deepEqual([first.ok, first.checked.segments, first.restorable], [true, 3, [id(2)]])
    const last = await verifyRepository(repository, { databases: ['app'], backup: 'nightly' })
    assert.deepEqual(
      last.findings.map(({ object, affectedBackups }) => [object, affectedBackups]),
      [[segment(3), [id(4)]]],
    )
    assert.deepEqual(last.restorable, [])
  })

  it('calls a backup that cannot be restored any more by its name', async () => {
    const { repository, storage } = await scene()
    await storage.delete(segment(0))
    for (const index of [0, 1, 2]) {
      const { ok, restorable } = await verifyRepository(repository, { databases: ['app'], backup: id(index) })
      assert.deepEqual([ok, restorable], [false, []])
    }
  })

  it('is refused for what makes no sense', async () => {
    const { repository } = await scene()
    const refused = (code: string) => (error: unknown) => error instanceof HoldfastError && error.code === code
    await assert.rejects(verifyRepository(repository, { databases: ['none'] }), refused('NAME_NOT_FOUND'))
    await assert.rejects(
      verifyRepository(repository, { databases: ['app'], backup: 'none' }),
      refused('BACKUP_NOT_FOUND'),
    )
    await assert.rejects(verifyRepository(repository, { backup: id(0) }), refused('USAGE'))
    for (const subset of [0, -1, 1.1, Number.NaN])
      await assert.rejects(verifyRepository(repository, { subset }), refused('USAGE'))
  })

  it('stops when told to, and runs again', async () => {
    const { repository } = await scene()
    for (const phase of ['metadata', 'data', 'restore']) {
      const controller = new AbortController()
      const stopped = verifyRepository(repository, {
        level: 'restore',
        signal: controller.signal,
        onProgress: (progress) => {
          if (progress.phase === phase) controller.abort()
        },
      })
      await assert.rejects(stopped, (error) => hasCode(error, 'ABORTED'), phase)
    }
    assert.ok((await verifyRepository(repository)).ok)
  })
})

describe('a verification of a part', () => {
  async function manyBackups(count: number): Promise<Repository> {
    const repository = await Repository.init(new MemoryStorage())
    const source = new PageSource().fill(20, 1)
    for (let i = 0; i < count; i++)
      await createBackup(source.change(1, i), repository, { type: i === 0 ? 'full' : 'incremental' })
    return repository
  }

  it('repeated, comes to everything, the longest unseen first', async () => {
    const repository = await manyBackups(12)
    const database = repository.database('app')
    let seen = 0
    for (let run = 1; run <= 4; run++) {
      const { checked, remaining } = await verifyRepository(repository, { subset: 0.25 })
      assert.deepEqual([checked.segments, remaining], [3, 9])
      const now = Object.keys((await readLedger(database)).segments).length
      assert.equal(now, seen + 3, 'nothing is checked twice before everything was checked once')
      seen = now
      // The ledger knows times to the millisecond.
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
    const before = (await readLedger(database)).segments
    await verifyRepository(repository, { subset: 0.25 })
    const { segments } = await readLedger(database)
    const renewed = Object.keys(segments).filter((key) => segments[key]?.checkedAt !== before[key]?.checkedAt)
    const oldest = Object.entries(before)
      .sort(([, a], [, b]) => a.checkedAt.localeCompare(b.checkedAt))
      .slice(0, 3)
    assert.deepEqual(renewed.sort(), oldest.map(([key]) => key).sort())
  })

  it('begins nothing more when its time is over, and says what is left', async () => {
    const repository = await manyBackups(5)
    const { checked, remaining, ok } = await verifyRepository(repository, { maxDurationMs: 0 })
    assert.deepEqual([checked.segments, remaining, ok], [0, 5, true])
    const all = await verifyRepository(repository, { maxDurationMs: 600_000 })
    assert.deepEqual([all.checked.segments, all.remaining], [5, 0])
  })

  it('does not forget the damage that an earlier part found', async () => {
    const { repository, damage } = await scene()
    await damage(segment(0), 0.3)
    const whole = await verifyRepository(repository, { databases: ['app'] })
    assert.deepEqual(
      whole.findings.map(({ object }) => object),
      [segment(0)],
    )
    const none = await verifyRepository(repository, { databases: ['app'], maxDurationMs: 0 })
    assert.equal(none.checked.segments, 0)
    assert.deepEqual(
      none.findings.map(({ object, affectedBackups }) => [object, affectedBackups]),
      [[segment(0), [id(0), id(1), id(2)]]],
    )
    assert.match(none.findings[0]?.problem ?? '', /not checked again in this run/)
  })

  it('forgets the damage once the object was mended and checked again', async () => {
    const { repository, storage, damage } = await scene()
    await damage(segment(0), 0.3)
    await verifyRepository(repository)
    await storage.put(segment(0), sound.get(segment(0)) ?? new Uint8Array())
    assert.deepEqual((await verifyRepository(repository)).findings, [])
    assert.deepEqual((await verifyRepository(repository, { maxDurationMs: 0 })).findings, [])
  })

  it('remembers restores as well', async () => {
    const { repository } = await scene()
    const { checked } = await verifyRepository(repository, { level: 'restore', databases: ['app'], subset: 0.2 })
    assert.equal(checked.restores, 1)
    const { restores } = await readLedger(repository.database('app'))
    assert.deepEqual(
      Object.values(restores).map(({ ok }) => ok),
      [true],
    )
  })
})
