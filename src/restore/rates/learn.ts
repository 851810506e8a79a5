/** Learning how fast this machine restores, from what a restore took against what had been expected of it. */
import type { RestoreRates } from '../../history/estimate.ts'
import { defaultRates } from './default-rates.ts'

/** What a restore did, and how long each part took, in milliseconds. */
export interface RestoreMeasurement {
  readonly requests: number
  readonly planMs: number
  /** Stored bytes of bases and deltas, and bytes of the database written from them. */
  readonly fetchedBytes: number
  readonly writtenBytes: number
  readonly fetchMs: number
  readonly commits: number
  readonly replayMs: number
  readonly provedBytes: number
  readonly proveMs: number
}

export interface KnownRates extends Required<RestoreRates> {
  readonly proveBytesPerSecond: number
  /** Restores that these rates were learned from. */
  readonly restores: number
}

/** Less than this is over before its speed shows. */
const leastBytes = 4 * 1024 * 1024
const leastCommits = 200

/** The newest restore counts at least this much, so that a machine that changed is known soon. */
const leastWeight = 0.3
/** One odd restore, on a machine that was suspended perhaps, must not spoil the estimates for long. */
const furthest = 1000

export function learn(known: KnownRates | undefined, measured: RestoreMeasurement): KnownRates {
  const old = known ?? { ...defaultRates, restores: 0 }
  const weight = Math.max(leastWeight, 1 / (old.restores + 1))
  const faster = (expectedMs: number, tookMs: number): number =>
    expectedMs > 0 && tookMs > 0 ? (expectedMs / tookMs) ** weight : 1

  const { requests, planMs, fetchedBytes, writtenBytes, fetchMs, commits, replayMs, provedBytes, proveMs } = measured
  const request = faster(requests * old.requestMs, planMs)
  const transfer = 1000 * Math.max(fetchedBytes / old.fetchBytesPerSecond, writtenBytes / old.writeBytesPerSecond)
  const fetch = writtenBytes < leastBytes ? 1 : faster(transfer, fetchMs)
  const replay = commits < leastCommits ? 1 : faster((1000 * commits) / old.commitsPerSecond, replayMs)
  const prove = provedBytes < leastBytes ? 1 : faster((1000 * provedBytes) / old.proveBytesPerSecond, proveMs)
  return {
    restores: old.restores + 1,
    requestMs: near(old.requestMs / request, defaultRates.requestMs),
    fetchBytesPerSecond: near(old.fetchBytesPerSecond * fetch, defaultRates.fetchBytesPerSecond),
    writeBytesPerSecond: near(old.writeBytesPerSecond * fetch, defaultRates.writeBytesPerSecond),
    commitsPerSecond: near(old.commitsPerSecond * replay, defaultRates.commitsPerSecond),
    proveBytesPerSecond: near(old.proveBytesPerSecond * prove, defaultRates.proveBytesPerSecond),
  }
}

function near(rate: number, usual: number): number {
  return Math.min(usual * furthest, Math.max(usual / furthest, rate))
}
