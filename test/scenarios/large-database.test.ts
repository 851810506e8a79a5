import assert from 'node:assert/strict'
import { test } from 'node:test'
import { followOverLockPage } from './support/large-database.ts'

test('a database is followed over its first GiB, where SQLite leaves out a page, and back, in bounded memory', {
  timeout: 240_000,
}, async (t) => {
  const tally = await followOverLockPage()
  t.diagnostic(JSON.stringify(tally))
  assert.ok((tally.followerMebibytes ?? 0) < 320, `the follower had ${tally.followerMebibytes} MiB`)
})
