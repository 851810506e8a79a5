import { isDatabaseName } from '../../repository/layout.ts'
import { type Condition, conditionKey } from '../notify/alert.ts'

const tail = 'unknown'

/**
 * That it cannot be told what is overdue of something.
 * @param id name of a database, or what else lies in the repository
 * @param problem in a sentence
 */
export function unknownWork(id: string, problem: string, what = id): Condition {
  return {
    key: unknownKey(id),
    kind: 'overdue',
    severity: 'warning',
    ...(isDatabaseName(id) ? { database: id } : {}),
    summary: `What is overdue of ${what} cannot be told: ${problem}`,
    hint: 'Put that right: until then nobody notices if its agent is gone.',
    details: {},
  }
}

export function unknownKey(id: string): string {
  return conditionKey('overdue', id, tail)
}

export function isUnknownKey(key: string): boolean {
  const [kind, , detail, ...more] = key.split('/')
  return kind === 'overdue' && detail === tail && more.length === 0
}
