import type { z } from 'zod'
import type { ProblemFacts } from '../problem.ts'
import type { ConfigPath } from '../yaml/config-path.ts'
import type { Places } from '../yaml/read-document.ts'
import { foundProblems } from './issue-problems.ts'
import { isMapping } from './parse-what-is-right.ts'

/** Each goes one mapping deeper, or finds the next of several alternatives. */
const mostPasses = 10

/**
 * Takes mistyped keys for those that were meant, so that what is below them is checked as well; each is told. Places know of it.
 * @returns the value with those keys, and the problems that they are
 */
export function correctKeys(
  written: unknown,
  schema: z.ZodType,
  places: Places,
): { readonly value: unknown; readonly problems: readonly ProblemFacts[] } {
  const problems: ProblemFacts[] = []
  let value = written
  for (let pass = 0; pass < mostPasses; pass += 1) {
    const { error } = schema.safeParse(value, { reportInput: true })
    const found = error === undefined ? [] : foundProblems(error.issues, schema, places)
    let isChanged = false
    for (const { facts, mistyped } of found) {
      if (mistyped === undefined) continue
      const { inside, key, meant } = mistyped
      const corrected = renamed(value, inside, key, meant)
      if (corrected === value) continue
      isChanged = true
      value = corrected
      places.rename(inside, key, meant)
      problems.push(facts)
    }
    if (!isChanged) break
  }
  return { value, problems }
}

/** The same value, if there is no such key, or what was meant is there as well. */
function renamed(value: unknown, [step, ...rest]: ConfigPath, key: string, to: string): unknown {
  if (step === undefined) {
    if (!isMapping(value) || !Object.hasOwn(value, key) || Object.hasOwn(value, to)) return value
    return mapping(Object.entries(value).map(([name, inside]) => [name === key ? to : name, inside]))
  }
  if (Array.isArray(value)) {
    if (typeof step !== 'number') return value
    const inside = renamed(value[step], rest, key, to)
    return inside === value[step] ? value : value.with(step, inside)
  }
  if (!isMapping(value) || typeof step !== 'string') return value
  const inside = renamed(value[step], rest, key, to)
  if (inside === value[step]) return value
  return mapping(Object.entries(value).map(([name, before]) => [name, name === step ? inside : before]))
}

/** Without a prototype, as those that were read. */
function mapping(entries: readonly (readonly [string, unknown])[]): Record<string, unknown> {
  const made: Record<string, unknown> = Object.create(null)
  for (const [name, value] of entries) made[name] = value
  return made
}
