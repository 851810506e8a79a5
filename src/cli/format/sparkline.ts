const bars = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█']

/** A row of bars, lowest to highest, at most `width` of them; each stands for the last of the values that it covers. */
export function sparkline(values: readonly number[], width = 40): string {
  const count = Math.min(width, values.length)
  const shown = Array.from(
    { length: count },
    (_, index) => values[Math.ceil(((index + 1) * values.length) / count) - 1] ?? 0,
  )
  const high = Math.max(...shown)
  return shown
    .map((value) => bars[high <= 0 ? 0 : Math.round((Math.max(0, value) / high) * (bars.length - 1))])
    .join('')
}
