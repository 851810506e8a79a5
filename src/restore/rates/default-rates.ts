import type { RestoreRates } from '../../history/estimate.ts'

/**
 * What a restore is assumed to manage until this machine has done some: measured with `npm run bench` on two cores and a local disk,
 * rounded down.
 */
export const defaultRates: Required<RestoreRates> & { readonly proveBytesPerSecond: number } = {
  requestMs: 5,
  fetchBytesPerSecond: 100e6,
  writeBytesPerSecond: 250e6,
  proveBytesPerSecond: 250e6,
  commitsPerSecond: 20_000,
}
