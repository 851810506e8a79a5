/**
 * Log sequence number: the number of a commit in a database's history. 1 is the first state that Holdfast saw; 0 is the
 * empty state before it. A safe integer.
 */
export type Lsn = number & { readonly __brand: 'Lsn' }

export const zeroLsn: Lsn = 0 as Lsn

export function toLsn(value: number): Lsn {
  if (!Number.isSafeInteger(value) || value < 0)
    throw new RangeError(`An LSN is a whole number from 0 on, not ${value}.`)
  return value as Lsn
}
