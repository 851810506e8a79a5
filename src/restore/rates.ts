import type { RestoreRates } from '../history/estimate.ts'

/**
 * What a restore is assumed to manage: measured with `npm run bench` on two cores and a local disk, rounded down. Slower storages take
 * longer, so an estimate for them is a lower bound.
 */
export const restoreRates: RestoreRates = {
  requestMs: 5,
  fetchBytesPerSecond: 100e6,
  writeBytesPerSecond: 250e6,
  proveBytesPerSecond: 250e6,
  commitsPerSecond: 20_000,
}
