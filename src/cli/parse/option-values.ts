/** What commander calls with an option's text; it reports an InvalidArgumentError with the option's name before it. */
import { InvalidArgumentError } from 'commander'
import { parseDuration } from './duration.ts'
import { parsePart } from './part.ts'
import { parseSize } from './size.ts'

export function duration(text: string): number {
  const value = parseDuration(text)
  if (value === undefined) throw new InvalidArgumentError('Expected a duration such as 30s, 10m, 2h or 7d.')
  return value
}

export function size(text: string): number {
  const value = parseSize(text)
  if (value === undefined) throw new InvalidArgumentError('Expected a size such as 512KiB, 64MiB or 1GiB.')
  return value
}

export function part(text: string): number {
  const value = parsePart(text)
  if (value === undefined) throw new InvalidArgumentError('Expected a part such as 10%, 1/7 or 0.1.')
  return value
}

export function wholeNumber(low: number, high: number): (text: string) => number {
  return (text) => {
    const value = /^-?\d+$/.test(text.trim()) ? Number(text) : Number.NaN
    if (value >= low && value <= high) return value
    const range = high === Number.MAX_SAFE_INTEGER ? `from ${low} on` : `from ${low} to ${high}`
    throw new InvalidArgumentError(`Expected a whole number ${range}.`)
  }
}

/** Collects `--tag key=value`, which may be given more than once. */
export function tag(text: string, before: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const equals = text.indexOf('=')
  if (equals < 1) throw new InvalidArgumentError('Expected key=value.')
  const key = text.slice(0, equals)
  if (Object.hasOwn(before, key)) throw new InvalidArgumentError(`The tag "${key}" is given twice.`)
  return { ...before, [key]: text.slice(equals + 1) }
}

/** Collects an option that may be given more than once. */
export function several(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text]
}
