import { randomBytes } from 'node:crypto'

/**
 * Unique, and sorts by time, then by number: nine digits of base 36 reach the year 5188.
 * @param time milliseconds since 1970
 * @param number counts the operations of a process, so that those of one millisecond keep their order
 */
export function operationId(time: number, number: number): string {
  return `${digits(time, 9)}-${digits(number, 5)}-${randomBytes(4).toString('hex')}`
}

function digits(value: number, count: number): string {
  return value.toString(36).padStart(count, '0')
}
