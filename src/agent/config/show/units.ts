/** Numbers in the form in which they are written in a configuration, exactly. */

const durations = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
] as const

const sizes = [
  ['GiB', 1024 ** 3],
  ['MiB', 1024 ** 2],
  ['KiB', 1024],
] as const

/** @param milliseconds a whole number */
export function durationText(milliseconds: number): string {
  const [name, unit] = durations.find(([, unit]) => milliseconds % unit === 0) ?? ['ms', 1]
  return `${milliseconds / unit}${name}`
}

export function sizeText(bytes: number): string {
  const [name, unit] = sizes.find(([, unit]) => bytes % unit === 0) ?? ['B', 1]
  return `${bytes / unit}${name}`
}
