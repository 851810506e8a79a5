import type { Answer, Cell } from '../../source/sqlite/inspect/query-file.ts'
import type { Assertion } from './assertion.ts'
import type { CheckOutcome } from './drill-options.ts'

export interface Judgement {
  readonly outcome: CheckOutcome
  readonly detail: string
}

/** Result codes for which neither the database nor the query is to blame: no memory, no access, a failing or full disk, a file that cannot be opened. */
const surroundings = new Set([7, 3, 10, 13, 14])

/** How many rows must be asked for to know whether the assertion holds. */
export function rowsNeeded({ expect }: Assertion): number {
  return Array.isArray(expect) ? Math.max(1, expect.length) : 1
}

export function judgeAssertion({ expect }: Assertion, answer: Answer): Judgement {
  if (answer.kind === 'error') {
    const outcome = answer.code !== undefined && surroundings.has(answer.code) ? 'inconclusive' : 'failed'
    return { outcome, detail: answer.message }
  }
  const found = Array.isArray(expect) ? differentRows(expect, answer) : differentValue(expect, answer)
  return found === undefined ? { outcome: 'passed', detail: 'true' } : { outcome: 'failed', detail: found }
}

function differentValue(expect: unknown, { rows, more }: Extract<Answer, { kind: 'rows' }>): string | undefined {
  const [row] = rows
  if (row === undefined) return 'It yields no row; an assertion yields one value.'
  if (more || rows.length > 1) return 'It yields several rows; an assertion yields one value.'
  const [value] = row
  if (value === undefined || row.length > 1) return `It yields ${row.length} columns; an assertion yields one value.`
  if (expect !== undefined)
    return isSame(expect, value) ? undefined : `It yields ${shown(value)}, not ${shown(expect)}.`
  if (typeof value === 'number' || typeof value === 'bigint')
    return value !== 0 && value !== 0n ? undefined : 'It yields 0: false.'
  const hint = value === null ? '' : ' Say what it should be with "expect".'
  return `It yields ${shown(value)}, which is not true.${hint}`
}

function differentRows(
  expect: readonly (readonly Cell[])[],
  { rows, more }: Extract<Answer, { kind: 'rows' }>,
): string | undefined {
  for (const [index, wanted] of expect.entries()) {
    const row = rows[index]
    if (row === undefined) return `It yields ${rows.length} rows, not ${expect.length}.`
    const isEqual = row.length === wanted.length && wanted.every((value, i) => isSame(value, row[i]))
    if (!isEqual) return `Row ${index + 1} is ${row.map(shown).join(', ')}, not ${wanted.map(shown).join(', ')}.`
  }
  return more || rows.length > expect.length ? `It yields more rows than ${expect.length}.` : undefined
}

/** 1 and 1.0 are one number, also where it needs 64 bits. */
function isSame(wanted: unknown, value: unknown): boolean {
  const isNumber = (side: unknown) => typeof side === 'number' || typeof side === 'bigint'
  // biome-ignore lint/suspicious/noDoubleEquals: a number and a bigint of one value
  return isNumber(wanted) && isNumber(value) ? wanted == value : wanted === value
}

const longestShown = 200

function shown(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(value) : value === null ? 'NULL' : String(value)
  return text.length > longestShown ? `${text.slice(0, longestShown)}…` : text
}
