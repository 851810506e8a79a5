/** What is wrong with the options of a call, for whoever wrote the call: one sentence a problem. */
import type { z } from 'zod'

type Issue = z.core.$ZodIssue

const longestShown = 60

/** @param issues of a parse that reported its input */
export function optionProblems(issues: readonly Issue[]): string {
  return issues.map((issue) => problem(issue, [])).join(' ')
}

function problem(issue: Issue, base: readonly PropertyKey[]): string {
  const path = [...base, ...issue.path]
  const name = path.length === 0 ? 'The argument' : `"${path.map(String).join('.')}"`
  if (issue.code === 'unrecognized_keys')
    return issue.keys.map((key) => `There is no option "${[...path, key].map(String).join('.')}".`).join(' ')
  if (issue.code === 'invalid_union') {
    const [inside] = issue.errors.filter((branch) => branch.some((inner) => inner.path.length > 0))
    if (inside !== undefined) return inside.map((inner) => problem(inner, path)).join(' ')
  }
  if (issue.input === undefined && (issue.code === 'invalid_type' || issue.code === 'invalid_value'))
    return `${name} is missing.`
  if (issue.code === 'too_small' && (issue.origin === 'string' || issue.origin === 'array'))
    return `${name} must not be empty.`
  const expected = expectation(issue)
  return expected === undefined
    ? `${name} makes no sense: ${shown(given(issue))}.`
    : `${name} must ${expected}, not ${shown(issue.input)}.`
}

/** Of a choice by one of its properties, that property. */
function given(issue: Issue): unknown {
  const { input } = issue
  const by = issue.code === 'invalid_union' ? issue.discriminator : undefined
  return by !== undefined && typeof input === 'object' && input !== null ? Reflect.get(input, by) : input
}

function expectation(issue: Issue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return `be ${typeWords[issue.expected] ?? `of the type ${issue.expected}`}`
    case 'invalid_value':
      return issue.values.length === 1
        ? `be ${shown(issue.values[0])}`
        : `be one of ${issue.values.map(shown).join(', ')}`
    case 'too_small':
      return issue.inclusive === false ? `be more than ${issue.minimum}` : `be ${issue.minimum} or more`
    case 'too_big':
      return `be ${issue.inclusive === false ? 'less than' : 'at most'} ${issue.maximum}`
    default:
      return undefined
  }
}

const typeWords: Readonly<Record<string, string>> = {
  string: 'a string',
  int: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  object: 'an object',
  record: 'an object',
  array: 'an array',
}

function shown(value: unknown): string {
  if (typeof value === 'string') {
    const text = JSON.stringify(value)
    return text.length > longestShown ? `${text.slice(0, longestShown)}…` : text
  }
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'object' && value !== null) return 'an object'
  return typeof value === 'function' ? 'a function' : String(value)
}
