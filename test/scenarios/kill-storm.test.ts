/**
 * Followers and writers of small databases, killed several times a second. Here it ends after some hundred kills or a minute and a half;
 * `npm run soak -- --part kills` goes on for as long as you like. HOLDFAST_SEED repeats a run's choices.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testSeed } from '../support/random.ts'
import { killStorm, tallyLines } from './support/kill-storm.ts'

test('kills in quick succession, most of them within a start or an upload, cost nothing that was acknowledged', {
  timeout: 240_000,
}, async (t) => {
  const seed = testSeed()
  t.diagnostic(`HOLDFAST_SEED=${seed}`)
  const tally = await killStorm({ seed, seconds: 50, kills: 400 })
  for (const line of tallyLines(tally)) t.diagnostic(line)
  assert.ok(tally.followerKills > 0 && tally.writerKills > 0)
  assert.ok(tally.acknowledged > 0 && tally.replayed > 0 && tally.restores > 0)
})
