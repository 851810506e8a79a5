import type { VerifyResult } from '../../verify/verify-options.ts'
import type { Ending } from './ending.ts'

export interface Verified extends Pick<VerifyResult, 'ok' | 'checked' | 'remaining' | 'warnings'> {
  readonly findings: readonly { readonly problem: string }[]
}

/** How a verification is recorded. */
export function verifyEnding({ ok, findings, checked, remaining, warnings }: Verified): Ending {
  const figures = { ...checked, remaining, findings: findings.length }
  if (ok) return { figures, warnings }
  const message = findings.map(({ problem }) => problem).join(' ')
  return { figures, outcome: 'failed', code: 'INTEGRITY', message }
}
