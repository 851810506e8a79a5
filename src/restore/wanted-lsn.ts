import { HoldfastError } from '../errors.ts'
import { type Lsn, toLsn } from '../history/lsn.ts'

/** @throws USAGE for what no state can have */
export function wantedLsn(value: unknown): Lsn {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 1) return toLsn(value)
  throw new HoldfastError(
    'USAGE',
    `An LSN is a whole number from 1 on, not ${typeof value === 'string' ? `"${value}"` : value}.`,
  )
}
