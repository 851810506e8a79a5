/** The kinds of single values. What came from the environment is a text: numbers, and true and false, are read from texts too. */
import type { z } from 'zod'
import { parseDuration } from '../../../util/parse-duration.ts'
import { parsePart } from '../../../util/parse-part.ts'
import { parseSize } from '../../../util/parse-size.ts'
import { type LeafOptions, leaf, orInterpolated } from './leaf.ts'

const hundredYearsMs = 36_525 * 86_400_000

export function text(description: string, expected = 'a text'): z.ZodType<string> {
  return leaf({ expected, read: readText, json: { type: 'string', minLength: 1, description } })
}

export function secret(description: string): z.ZodType<string> {
  return leaf({
    expected: 'a text',
    read: readText,
    json: { type: 'string', minLength: 1, description },
    isSecret: true,
  })
}

export function matching(
  description: string,
  expected: string,
  fits: (text: string) => boolean,
  hint?: (value: unknown) => string | undefined,
): z.ZodType<string> {
  const read = (value: unknown) => {
    const found = readText(value)
    return found !== undefined && fits(found) ? found : undefined
  }
  return leaf({ expected, read, json: { type: 'string', minLength: 1, description }, hint })
}

export function path(description: string): z.ZodType<string> {
  return matching(description, 'a path', isPath, homeHint)
}

/** A path or URL. */
export function place(description: string): z.ZodType<string> {
  return matching(
    description,
    'a path or URL',
    (value) => isPath(value) && passwordHint(value) === undefined,
    (value) => homeHint(value) ?? passwordHint(value),
  )
}

/** Such a URL would name another host, and show the password as a part of the path. */
function passwordHint(value: unknown): string | undefined {
  const isBroken =
    typeof value === 'string' && /^[A-Za-z][\w+.-]*:\/\/[^/?#@]*:(?!\d*[/?#])[^/?#@]*[/?#].*@/.test(value)
  return isBroken ? 'Inside of a password, write %2F for "/", %3F for "?" and %23 for "#".' : undefined
}

function isPath(value: string): boolean {
  return homeHint(value) === undefined
}

function homeHint(value: unknown): string | undefined {
  const isHome = typeof value === 'string' && /^~(\/|$)/.test(value)
  return isHome ? `"~" does not stand for the home folder here: write \${HOME}.` : undefined
}

export function flag(description: string): z.ZodType<boolean> {
  return leaf({
    expected: 'true or false',
    read: (value) =>
      typeof value === 'boolean' ? value : value === 'true' ? true : value === 'false' ? false : undefined,
    json: orInterpolated({ type: 'boolean', description }),
    words: ['true', 'false'],
  })
}

export function whole(description: string, low = 0, high: number = Number.MAX_SAFE_INTEGER): z.ZodType<number> {
  const isOpen = high === Number.MAX_SAFE_INTEGER
  const json = { type: 'integer', minimum: low, ...(isOpen ? {} : { maximum: high }), description }
  return leaf({
    expected: isOpen ? `a whole number from ${low} on` : `a whole number from ${low} to ${high}`,
    read: (value) => {
      const number = typeof value === 'string' && /^-?\d{1,16}$/.test(value) ? Number(value) : value
      return typeof number === 'number' && Number.isSafeInteger(number) && number >= low && number <= high
        ? number
        : undefined
    },
    json: orInterpolated(json),
  })
}

export function choice<const T extends string>(description: string, words: readonly T[]): z.ZodType<T> {
  const quoted = words.map((word) => `"${word}"`)
  return leaf({
    expected: quoted.length === 1 ? quoted.join('') : `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`,
    read: (value) => words.find((word) => word === value),
    json: orInterpolated({ type: 'string', enum: words, description }),
    words,
  })
}

/** In milliseconds, at least one. A unit is needed: a bare number could mean seconds as well as minutes. */
export function duration(description: string, example: string): z.ZodType<number> {
  return leaf(durationLeaf(description, example))
}

/** As {@link duration}; `never` is 0. */
export function durationOrNever(description: string, example: string): z.ZodType<number> {
  const { read, ...rest } = durationLeaf(description, example)
  return leaf({
    ...rest,
    expected: `a duration such as ${example}, or "never"`,
    read: (value) => (value === 'never' ? 0 : read(value)),
  })
}

/** As {@link duration}, or 0, for which no unit is needed. */
export function durationOrZero(description: string, example: string): z.ZodType<number> {
  const { expected, read } = durationLeaf(description, example)
  const isZero = (value: unknown) => value === 0 || (typeof value === 'string' && parseDuration(value) === 0)
  return leaf({
    expected: `${expected}, or 0`,
    read: (value) => (isZero(value) ? 0 : read(value)),
    json: {
      anyOf: [{ type: 'string' }, { type: 'integer', minimum: 0, maximum: 0 }],
      description,
      examples: [example],
    },
  })
}

function durationLeaf(description: string, example: string): LeafOptions<number> {
  return {
    expected: `a duration with its unit, such as ${example}`,
    read: (value) => {
      const found = typeof value === 'string' && /[a-z]\s*$/i.test(value) ? parseDuration(value) : undefined
      return found !== undefined && found > 0 && found <= hundredYearsMs ? found : undefined
    },
    json: { type: 'string', description, examples: [example] },
  }
}

/** In bytes. */
export function size(description: string, example: string): z.ZodType<number> {
  return leaf({
    expected: `a size such as ${example}`,
    read: (value) => {
      const found = typeof value === 'string' || typeof value === 'number' ? parseSize(String(value)) : undefined
      return found !== undefined && found > 0 && Number.isSafeInteger(found) ? found : undefined
    },
    json: { anyOf: [{ type: 'string' }, { type: 'integer', minimum: 1 }], description, examples: [example] },
  })
}

/** Of one. */
export function part(description: string): z.ZodType<number> {
  return leaf({
    expected: 'a part of the whole, such as 10%, 1/7 or 0.1',
    read: (value) => (typeof value === 'string' || typeof value === 'number' ? parsePart(String(value)) : undefined),
    json: { anyOf: [{ type: 'string' }, { type: 'number' }], description, examples: ['10%'] },
  })
}

export function url(description: string): z.ZodType<string> {
  return leaf({
    expected: 'a URL that begins with https:// or http://',
    read: (value) =>
      typeof value === 'string' && URL.canParse(value) && /^https?:$/.test(new URL(value).protocol) ? value : undefined,
    json: { type: 'string', pattern: '^https?://|\\$\\{', description },
    isSecret: true,
  })
}

function readText(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' && !value.includes('\0') ? value : undefined
}
