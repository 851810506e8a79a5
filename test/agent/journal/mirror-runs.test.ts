import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { mirrorEnding } from '../../../src/agent/journal/mirror-ending.ts'
import { lastComplete } from '../../../src/agent/journal/mirror-runs.ts'
import type { MirrorOptions } from '../../../src/maintenance/mirror/mirror-options.ts'
import { MemoryStorage } from '../../../src/storage/memory.ts'
import { mirrorHistory } from '../../maintenance/mirror/support/mirrored-history.ts'
import { KeptHistory } from '../../maintenance/support/kept-history.ts'

describe('what the history tells of a mirror', () => {
  it('is when all of the repository was there, not when some of its databases were, or a run failed', async () => {
    const history = await KeptHistory.make(3)
    const segment = await history.base()
    await history.backup()
    const damaged = Buffer.from('not what it was')
    const mirror = new MemoryStorage()
    const runs: Parameters<typeof lastComplete>[0][number][] = []
    const run = async (now: number, options: MirrorOptions = {}): Promise<number | undefined> => {
      const { type, figures } = mirrorEnding(await mirrorHistory(history, mirror, { now, ...options }))
      runs.push({ type, figures })
      return lastComplete(runs).get(mirror.url)
    }
    const { time } = history
    assert.equal(await run(time, { databases: ['app'] }), undefined)
    assert.equal(await run(time + 1), time + 1)
    assert.equal(await run(time + 2, { databases: ['app', 'app'] }), time + 1)
    await history.storage.put(segment.key, damaged)
    assert.equal(await run(time + 3), time + 1)
    runs.push({ type: mirror.url, figures: undefined })
    assert.equal(lastComplete(runs).get(mirror.url), time + 1, 'a run that ended in an error knows nothing')
    for (const { key } of await Array.fromAsync(mirror.list(''))) await mirror.delete(key)
    assert.equal(await run(time + 4), undefined, 'one that was begun anew was never complete yet')
  })
})
