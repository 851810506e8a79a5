/** Clocks of two machines may differ by this much, in milliseconds. */
export const clockMarginMs = 60_000

/**
 * Whoever wrote this down had a clock that was wrong: the time says nothing, and must neither hide nor outlive what is dated rightly.
 * @param time ISO 8601, or milliseconds since 1970
 * @param now milliseconds since 1970
 */
export function isInFuture(time: string | number, now: number): boolean {
  return (typeof time === 'number' ? time : Date.parse(time)) > now + clockMarginMs
}
