import assert from 'node:assert/strict'
import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { z } from 'zod'
import { RunMarker } from '../../../src/agent/state/run-marker.ts'
import { readState, writeState } from '../../../src/agent/state/state-document.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

describe('the marker of a run', () => {
  test('tells an agent that the one before was killed, and when it was last alive', async () => {
    using folder = temporaryFolder()
    const first = await RunMarker.set(folder.path, 1000)
    assert.equal(first.unclean, undefined)
    await first.seen(5000)
    const second = await RunMarker.set(folder.path, 9000)
    assert.deepEqual(second.unclean, { startedAt: 1000, seenAt: 5000 })
    await second.clear()
    const third = await RunMarker.set(folder.path, 10_000)
    assert.equal(third.unclean, undefined)
  })

  test('that is torn says as well that an agent was killed', async () => {
    using folder = temporaryFolder()
    await RunMarker.set(folder.path, 1000)
    truncateSync(folder.file('running.json'), 20)
    const { unclean } = await RunMarker.set(folder.path, 9000)
    assert.deepEqual(unclean, { startedAt: 9000, seenAt: 9000 })
  })
})

describe('a document of the state folder', () => {
  const schema = z.strictObject({ count: z.int() })

  test('is read as it was written, in a folder that is made for it and is nobody else’s business', async () => {
    using folder = temporaryFolder()
    const path = folder.file('deep/er/state.json')
    assert.deepEqual(await readState('x', schema, path), { found: false })
    await writeState('x', { count: 1 }, path)
    await writeState('x', { count: 2 }, path)
    assert.deepEqual(await readState('x', schema, path), { found: true, body: { count: 2 } })
    assert.equal(statSync(path).mode & 0o777, 0o600)
    assert.equal(statSync(folder.file('deep')).mode & 0o777, 0o700)
  })

  test('of which any byte is not as it was written counts as none, and says so', async () => {
    using folder = temporaryFolder()
    const path = folder.file('state.json')
    await writeState('x', { count: 1 }, path)
    const whole = readFileSync(path)
    for (let length = 0; length < whole.length; length += 1) {
      writeFileSync(path, whole.subarray(0, length))
      const read = await readState('x', schema, path)
      assert.equal(read.found, false)
      assert.ok(!read.found && read.problem !== undefined, String(length))
    }
    writeFileSync(path, whole)
    assert.match(JSON.stringify(await readState('other', schema, path)), /it is a \\"x\\" document/)
    assert.match(JSON.stringify(await readState('x', z.strictObject({ other: z.int() }), path)), /"found":false/)
  })

  test('that cannot be written is an error that names it', async () => {
    using folder = temporaryFolder()
    writeFileSync(folder.file('file'), '')
    await assert.rejects(writeState('x', {}, folder.file('file/state.json')), {
      object: folder.file('file/state.json'),
    })
  })
})
