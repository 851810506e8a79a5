import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Alert } from '../../src/agent/notify/alert.ts'
import { readFreshness } from '../../src/agent/notify/conditions/freshness.ts'
import { observeMissing } from '../../src/agent/notify/conditions/missing.ts'
import { repositoryKey } from '../../src/agent/notify/conditions/repository.ts'
import type { Observation } from '../../src/agent/notify/engine/advance.ts'
import { RepositoryPresence } from '../../src/agent/repository-presence.ts'
import { HoldfastError } from '../../src/errors.ts'
import { Repository } from '../../src/repository/repository.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'
import type { ObjectInfo } from '../../src/storage/storage.ts'
import { anAlert } from './notify/support/alerts.ts'

const { signal } = new AbortController()
const object: ObjectInfo = { key: 'holdfast.json', size: 1, modifiedAt: 0, etag: '1' }

function scene(url: string) {
  const seen: Observation[] = []
  const firing: Alert[] = []
  const place: { head: () => Promise<ObjectInfo | undefined>; asked: number } = {
    head: async () => object,
    asked: 0,
  }
  const presence = new RepositoryPresence({
    storage: {
      url,
      head: () => {
        place.asked += 1
        return place.head()
      },
    },
    notifier: { observe: (observations) => void seen.push(...observations), firing },
    log: { debug: () => {} },
    patienceMs: 20,
  })
  const looks = async () => ({ isGone: await presence.look(signal), seen: seen.splice(0).map(({ what }) => what) })
  return { presence, place, firing, looks }
}

describe('a repository in a folder', () => {
  it('is looked for in each round: gone where nothing marks it, and back where something does', async () => {
    const { place, looks } = scene('file:///srv/backups')
    assert.deepEqual(await looks(), { isGone: false, seen: ['absent'] })
    place.head = async () => undefined
    assert.deepEqual(await looks(), { isGone: true, seen: ['present'] })
    place.head = async () => object
    assert.deepEqual(await looks(), { isGone: false, seen: ['absent'] })
  })

  it('is as it was known while it does not answer, and holds up no round for long', async () => {
    const { place, firing, looks } = scene('file:///srv/backups')
    const { promise, resolve } = Promise.withResolvers<ObjectInfo>()
    place.head = () => promise
    assert.deepEqual(await looks(), { isGone: false, seen: [] })
    firing.push(anAlert({ key: repositoryKey, kind: 'missing' }))
    assert.deepEqual(await looks(), { isGone: true, seen: [] })
    assert.equal(place.asked, 1, 'one that hangs is not asked again')
    resolve(object)
    assert.deepEqual(await looks(), { isGone: false, seen: ['absent'] })
    place.head = async () => {
      throw new HoldfastError('STORAGE_TRANSIENT', 'It fails.')
    }
    assert.deepEqual(await looks(), { isGone: true, seen: [] })
  })

  it('that is gone is not told to be back because no databases are missing', () => {
    const firing = [anAlert({ key: repositoryKey, kind: 'missing' }), anAlert({ key: 'missing/a', kind: 'missing' })]
    assert.deepEqual(observeMissing([], firing), [{ what: 'absent', key: 'missing/a' }])
  })
})

describe('a repository elsewhere', () => {
  it('is asked only where there is a reason to doubt that it is there, and until it is', async () => {
    const { presence, place, firing, looks } = scene('s3://bucket/backups')
    assert.deepEqual(await looks(), { isGone: false, seen: [] })
    assert.equal(place.asked, 0)
    place.head = async () => undefined
    presence.doubt()
    assert.deepEqual(await looks(), { isGone: true, seen: ['present'] })
    place.head = async () => object
    firing.push(anAlert({ key: repositoryKey, kind: 'missing' }))
    assert.deepEqual(await looks(), { isGone: false, seen: ['absent'] })
    firing.length = 0
    await looks()
    assert.equal(place.asked, 2)
  })
})

describe('how new a database is', () => {
  it('is not told from an empty listing where there is no repository any more', async () => {
    const storage = new MemoryStorage()
    const repository = await Repository.init(storage)
    const app = repository.database('app')
    assert.equal((await readFreshness(app, Date.now())).newestBackupAt, undefined)
    for await (const { key } of storage.list('')) await storage.delete(key)
    await assert.rejects(readFreshness(app, Date.now()), { code: 'REPOSITORY_NOT_FOUND' })
  })
})
