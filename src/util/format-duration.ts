const second = 1000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

/** `0 ms`, `340 ms`, `1.2 s`, `45 s`, `2 min 5 s`, `3 h 4 min`, `2 d 3 h`: the two largest units. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < second - 0.5) return `${Math.round(milliseconds)} ms`
  if (milliseconds < 9.95 * second) return `${(milliseconds / second).toFixed(1)} s`
  const seconds = Math.round(milliseconds / second)
  if (seconds < 60) return `${seconds} s`
  const whole = seconds * second
  if (whole < hour) return twoUnits(whole, minute, 'min', second, 's')
  if (whole < day) return twoUnits(whole, hour, 'h', minute, 'min')
  return twoUnits(whole, day, 'd', hour, 'h')
}

function twoUnits(value: number, large: number, largeName: string, small: number, smallName: string): string {
  const count = Math.floor(value / large)
  const rest = Math.floor((value % large) / small)
  return rest === 0 ? `${count} ${largeName}` : `${count} ${largeName} ${rest} ${smallName}`
}
