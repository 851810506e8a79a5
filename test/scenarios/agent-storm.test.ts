/**
 * The agent, killed at random. Here it ends after a few kills; `npm run soak -- --part agent` goes on for as long as you like. HOLDFAST_SEED
 * repeats a run's choices.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { testSeed } from '../support/random.ts'
import { agentStorm } from './support/agent-storm.ts'
import { tallyLines } from './support/kill-storm.ts'

// The processes of an agent are found by way of /proc.
const skip = process.platform === 'linux' ? false : 'only on Linux'

test('an agent that is killed over and over keeps what it said was durable, and leaves nothing behind', {
  timeout: 240_000,
  skip,
}, async (t) => {
  const seed = testSeed()
  t.diagnostic(`HOLDFAST_SEED=${seed}`)
  const tally = await agentStorm({ seed, seconds: 12, calmSeconds: 0 })
  for (const line of tallyLines(tally)) t.diagnostic(line)
  assert.ok(tally.agentKills + tally.processKills > 0)
  assert.ok(tally.durable > 0 && tally.replayed > 0 && tally.restores > 0)
})
