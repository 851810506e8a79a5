import type { Alert } from '../alert.ts'

/** After so many failures, what could not be sent lets others go first. */
const patience = 3

/**
 * Of the alerts that wait, those whose turn it is: what fails again and again must not hold up the others. What is said of one alert
 * keeps its order, so that no end is told before its beginning.
 * @param failuresOf how often it was tried in vain to send an alert
 */
export function nextUp(waiting: readonly Alert[], failuresOf: (alert: Alert) => number): readonly Alert[] {
  const places = new Map<string, number>()
  const placed = waiting.map((alert) => {
    const place = Math.max(Math.floor(failuresOf(alert) / patience), places.get(alert.key) ?? 0)
    places.set(alert.key, place)
    return { alert, place }
  })
  const first = placed.reduce((least, { place }) => Math.min(least, place), Number.POSITIVE_INFINITY)
  return placed.filter(({ place }) => place === first).map(({ alert }) => alert)
}
