import type { Check } from '../doctor/check.ts'
import { counted } from '../format/text.ts'

const marks = { ok: '✓', note: '·', warning: '!', failure: '✗' } as const

export function doctorText(checks: readonly Check[]): string {
  const lines = checks.map(({ name, status, message, hint }) => {
    return `${marks[status]} ${name}: ${message}${hint === null ? '' : `\n  hint: ${hint}`}`
  })
  const count = (status: Check['status']) => checks.filter((check) => check.status === status).length
  const failures = count('failure')
  const warnings = count('warning')
  const found = [
    ...(failures === 0 ? [] : [counted(failures, 'problem')]),
    ...(warnings === 0 ? [] : [counted(warnings, 'warning')]),
  ]
  return [...lines, '', found.length === 0 ? 'All is well.' : `${found.join(' and ')}.`].join('\n')
}
