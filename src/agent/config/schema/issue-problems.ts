/** What zod finds wrong, in plain words and at its place in the file. */
import type { z } from 'zod'
import { mayBeSecret } from '../may-be-secret.ts'
import { nearest } from '../nearest.ts'
import type { ProblemFacts } from '../problem.ts'
import { type ConfigPath, isPlainKey, keyText } from '../yaml/config-path.ts'
import { type Places, unknownText } from '../yaml/read-document.ts'
import { laterKeys } from './config-schema.ts'
import { knownKeys } from './known-keys.ts'
import { leafParams } from './leaf.ts'

type Issue = z.core.$ZodIssue

const longestShown = 60

export interface FoundProblem {
  readonly facts: ProblemFacts
  /** Of an unknown key that was probably meant to be another: where, and which. */
  readonly mistyped?: { readonly inside: ConfigPath; readonly key: string; readonly meant: string } | undefined
}

export function issueProblems(issues: readonly Issue[], schema: z.ZodType, places: Places): ProblemFacts[] {
  return foundProblems(issues, schema, places).map(({ facts }) => facts)
}

export function foundProblems(issues: readonly Issue[], schema: z.ZodType, places: Places): FoundProblem[] {
  return issues.flatMap((issue) => problemsOf(issue, [], schema, places))
}

function problemsOf(issue: Issue, base: ConfigPath, schema: z.ZodType, places: Places): FoundProblem[] {
  const path = [...base, ...issue.path.filter((step) => typeof step !== 'symbol')]
  if (issue.input === unknownText) return []
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(key, path, schema, places))
  if (issue.code === 'invalid_union') {
    const meant = branchMeant(issue.errors)
    if (meant !== undefined) return meant.flatMap((inner) => problemsOf(inner, path, schema, places))
  }
  if (isMissing(issue)) {
    const message = `"${path.at(-1)}" is missing: expected ${expectation(issue).expected}.`
    const facts = { path: places.textOf(path), span: places.spanOf(path), message }
    return [{ facts: { ...facts, expected: expectation(issue).expected } }]
  }
  return [{ facts: wrongValue(issue, path, places) }]
}

function unknownKey(key: string, inside: ConfigPath, schema: z.ZodType, places: Places): FoundProblem {
  const path = [...inside, key]
  const known = knownKeys(schema, inside)
  const near = nearest(key, known) ?? null
  const facts = { path: places.textOf(path), span: places.keySpanOf(path), nearest: near, isHarmless: isPlainKey(key) }
  if (inside.length === 0 && laterKeys.includes(key))
    return { facts: { ...facts, got: key, message: `"${key}" is not available in this version.`, expected: null } }
  const expected = `one of ${known.join(', ')}`
  const hint = near === null ? ` Expected ${expected}.` : ` Did you mean "${near}"?`
  return {
    facts: { ...facts, message: `Unknown key ${keyText(key)}.${hint}`, expected, got: isPlainKey(key) ? key : null },
    mistyped: near === null ? undefined : { inside, key, meant: near },
  }
}

/** Of a union, the alternative that has the form of the value; undefined if none has, or several. */
function branchMeant(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  const fitting = branches.filter((issues) => !issues.some(isWrongForm))
  return fitting.length === 1 ? fitting[0] : undefined
}

function isWrongForm(issue: Issue): boolean {
  if (issue.path.length > 0) return false
  if (issue.code === 'custom') return leafParams.safeParse(issue.params).data?.isRightForm !== true
  return issue.code !== 'unrecognized_keys'
}

function isMissing(issue: Issue): boolean {
  return (
    issue.input === undefined &&
    (issue.code === 'invalid_type' ||
      issue.code === 'custom' ||
      issue.code === 'invalid_union' ||
      issue.code === 'invalid_value')
  )
}

function wrongValue(issue: Issue, path: ConfigPath, places: Places): ProblemFacts {
  const { expected, words, isSecret, hint } = expectation(issue)
  const near = typeof issue.input === 'string' ? (nearest(issue.input, words) ?? null) : null
  const isHidden = isSecret || (mayBeSecret(path) && !isHarmlessThere(issue, near))
  const hidden = isHidden ? (issue.code === 'custom' ? 'another text' : 'a text') : undefined
  const got = shown(issue.input, hidden, places.get(path)?.written)
  const isBare = expected.startsWith('a text') && !isCollection(issue.input) && issue.input !== null
  const more =
    hint ?? (near === null ? undefined : `Did you mean "${near}"?`) ?? (isBare ? 'Put it in quotes.' : undefined)
  const facts = { path: places.textOf(path), span: places.spanOf(path), isHarmless: !isHidden, expected, nearest: near }
  return {
    ...facts,
    message: `Expected ${expected}, got ${got}.${more === undefined ? '' : ` ${more}`}`,
    got: isHidden ? null : got,
  }
}

/** Where secrets are, only what was meant to be one of the known words, or is the wrong number for something that is none. */
function isHarmlessThere(issue: Issue, near: string | null): boolean {
  return near !== null || (issue.code === 'custom' && typeof issue.input !== 'string')
}

interface Expectation {
  readonly expected: string
  readonly words: readonly string[]
  readonly isSecret: boolean
  readonly hint?: string | undefined
}

function expectation(issue: Issue): Expectation {
  const plain = (expected: string, words: readonly string[] = []) => ({ expected, words, isSecret: false })
  switch (issue.code) {
    case 'custom': {
      const { data } = leafParams.safeParse(issue.params)
      return data === undefined
        ? plain(issue.message)
        : { expected: data.expected, words: data.words ?? [], isSecret: data.isSecret === true, hint: data.hint }
    }
    case 'invalid_type':
      return plain(typeWords[issue.expected] ?? issue.expected)
    case 'invalid_value': {
      const words = issue.values.map(String)
      return plain(`one of ${words.join(', ')}`, words)
    }
    case 'invalid_union':
      return alternatives(issue.errors.flatMap((branch) => branch.filter(isWrongForm).map(expectation)))
    case 'invalid_key':
      return plain(
        issue.issues[0]?.code === 'too_small' ? 'a key that is not empty' : 'the name of a header as its key',
      )
    default:
      return plain('something else')
  }
}

function alternatives(found: readonly Expectation[]): Expectation {
  const expected = [...new Set(found.map((each) => each.expected))].join(', or ')
  return { expected, words: found.flatMap(({ words }) => words), isSecret: found.some(({ isSecret }) => isSecret) }
}

const typeWords: Readonly<Record<string, string>> = {
  string: 'a text',
  int: 'a whole number',
  number: 'a whole number',
  boolean: 'true or false',
  object: 'a mapping',
  record: 'a mapping',
  array: 'a list',
}

function isCollection(value: unknown): boolean {
  return typeof value === 'object' && value !== null
}

/**
 * @param hidden what is told instead of a text that is not to be seen
 * @param written what the file has, which is nearer to what people typed than a number that was made of it
 */
function shown(value: unknown, hidden: string | undefined, written: string | undefined): string {
  if (value === null || value === undefined) return 'nothing'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  if (typeof value === 'object') return 'a mapping'
  if (hidden !== undefined) return typeof value === 'string' ? hidden : `a ${typeof value}`
  if (typeof value !== 'string') return shortened(written ?? String(value))
  return value === '' ? 'an empty text' : JSON.stringify(shortened(value))
}

function shortened(text: string): string {
  return text.length > longestShown ? `${text.slice(0, longestShown)}…` : text
}
