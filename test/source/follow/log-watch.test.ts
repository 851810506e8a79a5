import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { hasCode } from '../../../src/errors.ts'
import { watchLog } from '../../../src/source/sqlite/follow/log-watch.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const hour = 3_600_000

test('waiting for the log ends at once when it is called off while it looks', { timeout: 10_000 }, async () => {
  using folder = temporaryFolder()
  writeFileSync(folder.file('app.db-wal'), '')
  writeFileSync(folder.file('app.db'), '')
  const off = new AbortController()
  let looks = 0
  const look = () => {
    looks += 1
    if (looks === 2) off.abort()
    return 'unchanged' as const
  }
  await assert.rejects(watchLog(folder.file('app.db'), { look }, hour, off.signal), (error) =>
    hasCode(error, 'ABORTED'),
  )
  assert.equal(looks, 2)
})

test('thousands of logs that cannot be watched are looked at less often each, so that they keep no core busy', {
  timeout: 60_000,
}, async () => {
  using folder = temporaryFolder()
  const count = 2000
  const off = new AbortController()
  let looks = 0
  const look = () => {
    looks += 1
    return 'unchanged' as const
  }
  const refuses = () => {
    throw Object.assign(new Error('ENOSPC: watch'), { code: 'ENOSPC' })
  }
  const waits = Array.from({ length: count }, () =>
    watchLog(folder.file('app.db'), { look }, hour, off.signal, refuses).catch(() => {}),
  )
  await sleep(1500)
  off.abort()
  await Promise.all(waits)
  // Two when each begins; every 100 ms it would be fifteen more.
  assert(looks <= 3 * count, `${looks} looks`)
})
