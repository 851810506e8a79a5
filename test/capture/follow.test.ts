import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { seededRandom, testSeed } from '../support/random.ts'
import { Rig } from './support/rig.ts'

describe('following a database', () => {
  it('keeps every commit, exactly, with the first state as a base', async () => {
    const seed = testSeed()
    console.log(`seed ${seed}`)
    const random = seededRandom(seed)
    const rig = await Rig.make()
    const capture = await rig.follow()
    for (let n = 0; n < 60; n += 1) {
      rig.database.commitRandom(random)
      if (random.chance(30)) await capture.sync()
    }
    const lsn = await capture.sync()
    assert.equal(lsn, 61)
    const commits = await rig.check()
    assert.equal(commits.size, 61)
    assert.equal(commits.get(61), rig.database.seq)
    assert.deepEqual(await capture.stop(), { segments: 0, bytes: 0 })
    assert.equal(rig.of('started')[0]?.how, 'first')
    assert.deepEqual(rig.of('gap'), [])
    assert.equal(rig.database.followers, 0)
  })
})
