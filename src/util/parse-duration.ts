const milliseconds: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}

/**
 * `500ms`, `30s`, `10m`, `1h30m`, `7d`, `2w`; without a unit: seconds. In milliseconds, or undefined if it is no duration.
 */
export function parseDuration(text: string): number | undefined {
  const trimmed = text.trim().toLowerCase()
  if (/^\d+(\.\d+)?$/.test(trimmed)) return Math.round(Number(trimmed) * 1000)
  if (!/^(\d+(\.\d+)?\s*(ms|min|s|m|h|d|w)\s*)+$/.test(trimmed)) return undefined
  let total = 0
  for (const [, amount, unit] of trimmed.matchAll(/(\d+(?:\.\d+)?)\s*(ms|min|s|m|h|d|w)/g)) {
    total += Number(amount) * (milliseconds[unit ?? ''] ?? 0)
  }
  return Math.round(total)
}
