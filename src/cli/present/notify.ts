import { formatDuration } from '../format/duration.ts'
import { counted } from '../format/text.ts'
import type { ResultData } from '../json/schemas.ts'

export function testedText(channels: ResultData<'notify test'>['channels']): string {
  const lines = channels.map(({ name, type, target, durationMs, problem, hint }) => {
    const what = name === type ? type : `${name} (${type})`
    const advice = hint === null ? '' : `\n  hint: ${hint}`
    return problem === null
      ? `✓ ${what}: sent to ${target} in ${formatDuration(durationMs)}`
      : `✗ ${what}: ${problem}${advice}`
  })
  const failed = channels.filter(({ ok }) => !ok).length
  const verdict =
    failed === 0
      ? 'Every test message was taken. See whether it arrived, too.'
      : `${counted(failed, 'test message')} of ${channels.length} did not get through.`
  return [...lines, '', verdict].join('\n')
}
