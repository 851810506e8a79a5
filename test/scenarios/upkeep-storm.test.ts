/**
 * Upkeep beside everything else, in random order. Here it ends after some twenty seconds; `npm run soak -- --part upkeep` goes on for as long
 * as you like. HOLDFAST_SEED repeats a run's choices.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testSeed } from '../support/random.ts'
import { tallyLines } from './support/kill-storm.ts'
import { upkeepStorm } from './support/upkeep-storm.ts'

test('backups, following, expiry, compaction, pins, deletions and deaths in any order: what is kept never changes or vanishes', {
  timeout: 240_000,
}, async (t) => {
  const seed = testSeed()
  t.diagnostic(`HOLDFAST_SEED=${seed}`)
  const tally = await upkeepStorm({ seed, seconds: 20 })
  for (const line of tallyLines(tally)) t.diagnostic(line)
  assert.ok(tally.steps > 0 && tally.deaths > 0 && tally.backups > 0 && tally.expiries > 0 && tally.restores > 0)
})
