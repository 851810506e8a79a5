/**
 * The agent of the built program, under an application that writes all the time, killed over and over: as a whole, or one of its
 * processes. Every commit that it said was durable is there at the end, it knows what was interrupted, and nothing piles up.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { seededRandom } from '../../support/random.ts'
import { StormedAgent } from './stormed-agent.ts'

export interface AgentStormOptions {
  readonly seed: number
  /** Of kills; the calm after that, and the proof, come on top. */
  readonly seconds: number
  /** How long everything is left alone after that, before nothing may be wrong any more. In seconds; default 60. */
  readonly calmSeconds?: number | undefined
  /** Told of each life of the agent. */
  readonly onRound?: ((line: string) => void) | undefined
}

export interface AgentTally {
  starts: number
  agentKills: number
  processKills: number
  stops: number
  /** Operations in the journal, by how they ended. */
  readonly operations: Map<string, number>
  /** States that it said were durable, states that were replayed, and restores. */
  durable: number
  replayed: number
  restores: number
  commits: number
  readonly gaps: Map<string, number>
}

/** @throws AssertionError that says which promise was broken */
export async function agentStorm({ seed, seconds, calmSeconds = 60, onRound }: AgentStormOptions): Promise<AgentTally> {
  const random = seededRandom(seed)
  await using agent = await StormedAgent.begin(random)
  const until = Date.now() + seconds * 1000
  while (Date.now() < until) {
    const line = await agent.life()
    onRound?.(line)
  }
  await agent.start()
  await agent.settle()
  await delay(calmSeconds * 1000)
  return await agent.endInOrder()
}
