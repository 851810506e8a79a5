/** Segments are merged away while a restore reads them: it lists again, plans again, and gives the same state. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { after, before, describe, it } from 'node:test'
import { hasCode } from '../../src/errors.ts'
import { toLsn } from '../../src/history/lsn.ts'
import { Repository } from '../../src/repository/repository.ts'
import { planDatabaseRestore } from '../../src/restore/plan-restore.ts'
import { restoreDatabase } from '../../src/restore/restore-database.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'
import type { GetOptions } from '../../src/storage/storage.ts'
import { backupChains, type KnownBackup, SampleDatabase } from '../scenarios/support/sample-database.ts'
import { storeCommits } from '../support/log-history.ts'
import { segmentOf } from '../support/segment-of.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const pageSize = 1024
const sources = temporaryFolder()
let known: KnownBackup[] = []

/** Before the n-th read of a segment, something happens to the repository. */
class InterruptedStorage extends MemoryStorage {
  interruptAt = Number.POSITIVE_INFINITY
  happens: () => Promise<void> = async () => undefined
  reads = 0

  override async *get(key: string, options?: GetOptions): AsyncGenerator<Uint8Array, void, undefined> {
    if (key.includes('/segments/')) {
      this.reads += 1
      if (this.reads - 1 === this.interruptAt) await this.happens()
    }
    yield* super.get(key, options)
  }
}

async function interrupted(): Promise<{ storage: InterruptedStorage; wanted: KnownBackup }> {
  const storage = new InterruptedStorage()
  await Repository.init(storage)
  const [first, second] = known
  assert.ok(first && second)
  for await (const { key } of chains.list('databases/')) await storage.put(key, chains.get(key))
  return { storage, wanted: second }
}

const chains = new MemoryStorage()

before(async () => {
  known = await backupChains(new SampleDatabase(sources.path), await Repository.init(chains))
})
after(() => sources[Symbol.dispose]())

/** Replaces the two segments that lead to LSN 2 by one. */
async function compact(storage: MemoryStorage): Promise<void> {
  const database = (await Repository.open(storage)).database('app')
  const commits = known.slice(0, 2).map(({ metadata, image }) => ({
    lsn: toLsn(metadata.lsn),
    time: Date.parse(metadata.capturedAt),
    pages: Array.from({ length: image.length / pageSize }, (_, i) => image.subarray(i * pageSize, (i + 1) * pageSize)),
  }))
  await storeCommits(database, { lsn: toLsn(0), time: 0, pages: [] }, commits, 'log', pageSize)
  for (const { metadata } of known.slice(0, 2)) await storage.delete(segmentOf(metadata))
}

describe('a restore whose segments are merged into another meanwhile', () => {
  it('gives the wanted state, whichever read meets it', async () => {
    let met = 0
    for (let interruptAt = 0; ; interruptAt += 1) {
      using folder = temporaryFolder()
      const { storage, wanted } = await interrupted()
      storage.interruptAt = interruptAt
      storage.happens = () => compact(storage)
      const targetPath = folder.file('restored.db')
      const state = { by: 'backup', id: wanted.metadata.id } as const
      const { warnings, plan } = await restoreDatabase((await Repository.open(storage)).database('app'), {
        state,
        targetPath,
        validation: 'none',
      })
      assert.ok(readFileSync(targetPath).equals(wanted.image))
      assert.deepEqual(readdirSync(folder.path), ['restored.db'])
      assert.deepEqual(warnings, [])
      if (storage.reads <= interruptAt) break
      if (plan.steps[0]?.kind === 'log') met += 1
    }
    assert.ok(met > 4, `only ${met} reads met it`)
  })

  it('is planned anew as well', async () => {
    const { storage, wanted } = await interrupted()
    storage.interruptAt = 1
    storage.happens = () => compact(storage)
    const state = { by: 'backup', id: wanted.metadata.id } as const
    const plan = await planDatabaseRestore((await Repository.open(storage)).database('app'), state)
    assert.equal(plan.steps.length, 1)
  })

  it('fails with a damaged repository, and leaves nothing, when they are just gone', async () => {
    for (let interruptAt = 0; ; interruptAt += 1) {
      using folder = temporaryFolder()
      const { storage, wanted } = await interrupted()
      storage.interruptAt = interruptAt
      storage.happens = () => storage.delete(segmentOf(wanted.metadata))
      const outcome = await restoreDatabase((await Repository.open(storage)).database('app'), {
        state: { by: 'backup', id: wanted.metadata.id },
        targetPath: folder.file('restored.db'),
        validation: 'none',
      }).catch((error: unknown) => error)
      if (storage.reads <= interruptAt) break
      if (!(outcome instanceof Error)) continue
      assert.ok(hasCode(outcome, 'INTEGRITY'), String(outcome))
      assert.equal(outcome.object, segmentOf(wanted.metadata))
      assert.deepEqual(readdirSync(folder.path), [])
    }
  })

  it('gives up after a few listings when what is listed is never there', async () => {
    const { storage, wanted } = await interrupted()
    const database = (await Repository.open(storage)).database('app')
    let listings = 0
    const lying = new Proxy(storage, {
      get: (target, name) => {
        if (name === 'get')
          return (key: string, options?: GetOptions) =>
            target.get(key === segmentOf(wanted.metadata) ? `${key}.gone` : key, options)
        const value: unknown = Reflect.get(target, name)
        if (name === 'list') listings += 1
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
    assert.ok(database)
    const liar = (await Repository.open(lying)).database('app')
    const failure = planDatabaseRestore(liar, { by: 'backup', id: wanted.metadata.id })
    await assert.rejects(failure, (error) => hasCode(error, 'INTEGRITY'))
    assert.ok(listings <= 3, `${listings} listings`)
  })
})
