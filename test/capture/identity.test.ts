import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { hasCode } from '../../src/errors.ts'
import { Rig } from './support/rig.ts'

const recordKey = 'databases/app/database.json'
const unnamed = { database: 'app', unnamedIn: 'configuration' } as const

/** A database that was followed under a name that nobody gave. */
async function followedOnce(): Promise<Rig> {
  const rig = await Rig.make()
  const capture = await rig.follow(unnamed)
  await capture.stop()
  assert.equal((await (await rig.repository()).record())?.location, rig.database.location)
  return rig
}

describe('following under a name that nobody gave', () => {
  it('is resumed, also where the record of the database is lost or damaged: that is mended', async () => {
    for (const damage of ['none', 'lost', 'damaged'] as const) {
      const rig = await followedOnce()
      if (damage === 'lost') await rig.storage.delete(recordKey)
      if (damage === 'damaged') await rig.storage.put(recordKey, Buffer.from('{'))
      const capture = await rig.follow(unnamed)
      assert.equal(rig.of('started').at(-1)?.how, 'resumed')
      await capture.stop()
      assert.equal((await (await rig.repository()).record())?.location, rig.database.location)
    }
  })

  it('is refused where that is the name of another database, and goes on where the name is given', async () => {
    const rig = await followedOnce()
    const record = await (await rig.repository()).record()
    assert.ok(record)
    await (await rig.repository()).putRecord({ ...record, location: '/other/app.db' }, { replace: true })
    await assert.rejects(rig.follow(unnamed), (error) => hasCode(error, 'NAME_TAKEN'))
    const capture = await rig.follow({ database: 'app' })
    await capture.stop()
  })

  it('is refused where this machine knows nothing of a history whose record is damaged', async () => {
    const rig = await followedOnce()
    await rig.storage.put(recordKey, Buffer.from('{'))
    const elsewhere = { ...unnamed, stateFolder: '/elsewhere' }
    await assert.rejects(rig.follow(elsewhere), (error) => hasCode(error, 'NAME_TAKEN'))
    const capture = await rig.follow({ database: 'app', stateFolder: '/elsewhere' })
    await capture.stop()
  })
})
