import type { Plan } from './plan.ts'

/** What a restore will cost, before anything of it is fetched. */
export interface Estimate {
  /** Objects to read. */
  readonly segments: number
  /** Stored bytes to fetch; a log that is left early counts as a whole. Of each object, up to 64 KiB are read once more. */
  readonly bytesToFetch: number
  readonly requests: number
  /** Commits of logs to apply one by one. */
  readonly commitsToReplay: number
  /** Bytes of the restored database: also the free space that it needs. */
  readonly bytesToWrite: number
  readonly durationMs: number
}

/** How fast this machine and storage are; each above 0. */
export interface RestoreRates {
  /** Time of one request without its bytes, in milliseconds; requests of several at once count as shorter. */
  readonly requestMs: number
  readonly fetchBytesPerSecond: number
  /** Decompressing, applying and writing, in bytes of the database. */
  readonly writeBytesPerSecond: number
  /** Proving the restored file, in bytes of the database. Undefined: no proof is wanted. */
  readonly proveBytesPerSecond?: number | undefined
  /** Applying the commits of logs. */
  readonly commitsPerSecond: number
}

/** For each segment: its end with the index, its header, and at least one range of blocks. */
const requestsPerSegment = 3

/**
 * Fetching goes on beside applying and writing, so the slower of the two counts; requests come before, the proof after.
 * @param size bytes of the database at the plan's target: page size times page count
 */
export function estimateRestore(plan: Plan, size: { readonly databaseBytes: number }, rates: RestoreRates): Estimate {
  let bytesToFetch = 0
  let commitsToReplay = 0
  for (const { segment, upTo } of plan.steps) {
    bytesToFetch += segment.bytes
    if (segment.kind === 'log') commitsToReplay += upTo - segment.from
  }
  const bytesToWrite = size.databaseBytes
  const requests = plan.steps.length * requestsPerSegment
  const fetchSeconds = bytesToFetch / rates.fetchBytesPerSecond
  const writeSeconds = bytesToWrite / rates.writeBytesPerSecond + commitsToReplay / rates.commitsPerSecond
  const proveSeconds = rates.proveBytesPerSecond === undefined ? 0 : bytesToWrite / rates.proveBytesPerSecond
  const durationMs = Math.ceil(
    requests * rates.requestMs + (Math.max(fetchSeconds, writeSeconds) + proveSeconds) * 1000,
  )
  return { segments: plan.steps.length, bytesToFetch, requests, commitsToReplay, bytesToWrite, durationMs }
}
