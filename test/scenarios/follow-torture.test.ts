/**
 * Following under kill -9, at full speed, beside checkpoints, replaced files and other readers. HOLDFAST_SOAK_SECONDS is how long
 * both tests take together (default 30; `npm run soak` for hours); HOLDFAST_SEED repeats a run's choices.
 */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { testSeed } from '../support/random.ts'
import { requirePart } from '../support/real-part.ts'
import { type TortureTally, tortureFollower } from './support/follow-torture.ts'

const seed = testSeed()
const seconds = Number(process.env['HOLDFAST_SOAK_SECONDS'] ?? 30) / 2
const timeout = (seconds + 180) * 1000
const sqlite3 = requirePart('sqlite3')
const moments = { byLsn: 120, byTime: 120 }

function judge(t: TestContext, tally: TortureTally): void {
  t.diagnostic(JSON.stringify({ ...tally, gaps: Object.fromEntries(tally.gaps) }))
  assert.ok(tally.acknowledged > 0 && tally.restores > 0)
  const { byLsn, byTime } = tally
  assert.deepEqual({ byLsn, byTime }, moments)
}

test('a follower and writers that are killed at any moment lose nothing that was acknowledged', {
  timeout,
}, async (t) => {
  t.diagnostic(`HOLDFAST_SEED=${seed}`)
  const tally = await tortureFollower({ seconds, seed, moments })
  judge(t, tally)
})

test('neither do they beside long readers and the backups of SQLite itself', {
  timeout,
  skip: sqlite3.skip,
}, async (t) => {
  t.diagnostic(`HOLDFAST_SEED=${seed}`)
  const tally = await tortureFollower({ seconds, seed: seed + 1, sqlite3: sqlite3.path, moments })
  judge(t, tally)
})
