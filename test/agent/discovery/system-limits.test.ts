import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { LimitWatch } from '../../../src/agent/discovery/limit-watch.ts'
import { shortLimits, systemLimits } from '../../../src/agent/discovery/system-limits.ts'

const proc: Readonly<Record<string, string>> = {
  '/proc/self/limits': [
    'Limit                     Soft Limit           Hard Limit           Units',
    'Max processes             96000                96000                processes',
    'Max open files            1024                 4096                 files',
  ].join('\n'),
  '/proc/sys/fs/inotify/max_user_watches': '8192\n',
}

describe('what the system allows', () => {
  it('is read where it tells, and left open where it does not', async () => {
    assert.deepEqual(await systemLimits(async (path) => proc[path] ?? ''), { openFiles: 1024, watchedFiles: 8192 })
    const none = await systemLimits(async () => {
      throw new Error('ENOENT')
    })
    assert.deepEqual(none, { openFiles: undefined, watchedFiles: undefined })
    const unlimited = await systemLimits(async () => 'Max open files            unlimited            unlimited')
    assert.equal(unlimited.openFiles, undefined)
  })

  it('is held against the databases of each worker, and of all', () => {
    const limits = { openFiles: 1024, watchedFiles: 8192 }
    assert.deepEqual(shortLimits(limits, 100, 2), [])
    assert.deepEqual(shortLimits({}, 1_000_000, 1), [])
    const [files, ...others] = shortLimits(limits, 1000, 2)
    assert.match(files?.message ?? '', /may have 1024 files open.* 2 workers needs up to 4700 for 1000 databases/)
    assert.match(files?.hint ?? '', /LimitNOFILE/)
    assert.deepEqual(others, [])
    assert.deepEqual(shortLimits(limits, 1000, 16), [])
    const [watches] = shortLimits({ watchedFiles: 8192 }, 5000, 2)
    assert.match(watches?.message ?? '', /at most 8192 files.* 5000 databases need 10000/)
    assert.match(watches?.hint ?? '', /max_user_watches=20000/)
  })

  it('is told of once, and again only when there are many more databases', async () => {
    const watch = new LimitWatch(async () => ({ watchedFiles: 100 }), 2)
    assert.equal((await watch.look(50)).length, 0)
    assert.equal((await watch.look(51)).length, 1)
    assert.equal((await watch.look(51)).length, 0)
    assert.equal((await watch.look(70)).length, 0)
    assert.equal((await watch.look(80)).length, 1)
  })
})
