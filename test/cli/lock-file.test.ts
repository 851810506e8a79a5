import assert from 'node:assert/strict'
import { readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { lockFile } from '../../src/cli/schedule/lock-file.ts'
import { hasCode } from '../../src/errors.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const { signal } = new AbortController()

describe('who changes a file', () => {
  it('does so alone, one after the other, and leaves nothing', async () => {
    using folder = temporaryFolder()
    const path = folder.file('holdfast.yaml')
    writeFileSync(path, '')
    let inside = 0
    let most = 0
    const change = async () => {
      await using _lock = await lockFile(path, signal)
      inside += 1
      most = Math.max(most, inside)
      await new Promise((resolve) => setImmediate(resolve))
      inside -= 1
    }
    await Promise.all(Array.from({ length: 8 }, change))
    assert.equal(most, 1)
    assert.deepEqual(readdirSync(folder.path), ['holdfast.yaml'])
  })

  it('does not wait for one that was killed, and waits for no other when it is called off', async () => {
    using folder = temporaryFolder()
    const path = folder.file('holdfast.yaml')
    writeFileSync(path, '')
    writeFileSync(folder.file('.holdfast.yaml.lock'), '')
    await assert.rejects(lockFile(path, AbortSignal.abort()), (error) => hasCode(error, 'ABORTED'))
    utimesSync(folder.file('.holdfast.yaml.lock'), 0, 0)
    await using _lock = await lockFile(path, signal)
    assert.deepEqual(readdirSync(folder.path), ['.holdfast.yaml.lock', 'holdfast.yaml'])
  })
})
