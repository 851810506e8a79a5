import { formatBytes } from '../format/bytes.ts'
import { counted } from '../format/text.ts'
import { formatTime } from '../format/time.ts'
import type { ResultData } from '../json/schemas.ts'

type Upkeep = Pick<ResultData<'compact'>, 'dryRun' | 'merged' | 'deleted' | 'waiting' | 'freedBytes' | 'waitingBytes'>

/** What becomes of segments, in sentences. */
export function upkeepLines({ dryRun, merged, deleted, waiting, freedBytes, waitingBytes }: Upkeep): string[] {
  const lines: string[] = []
  if (merged.length > 0) {
    const inputs = merged.reduce((sum, { segments }) => sum + segments, 0)
    const bytes = merged.reduce((sum, one) => sum + one.bytes, 0)
    const made = `${counted(merged.length, 'new segment')} (${dryRun ? 'about ' : ''}${formatBytes(bytes)})`
    lines.push(`${dryRun ? 'Would make' : 'Made'} ${made} of ${counted(inputs, 'segment')}, whole or in part.`)
  }
  if (deleted.length > 0) {
    const what = `${counted(deleted.length, 'segment')} that nothing needs, ${formatBytes(freedBytes)}`
    lines.push(`${dryRun ? 'Would delete' : 'Deleted'} ${what}.`)
  }
  const last = waiting.reduce((latest, { until }) => (until > latest ? until : latest), '')
  if (waiting.length > 0) {
    const what = `${counted(waiting.length, 'segment')} that nothing needs any more, ${formatBytes(waitingBytes)}`
    lines.push(`${what}: to be deleted by a run after ${formatTime(Date.parse(last))}.`)
  }
  return lines
}

export function compactText(data: ResultData<'compact'>): string {
  const { database, dryRun, logs } = data
  const lines = upkeepLines(data)
  if (logs.merged > 0 || logs.replaced > 0) {
    const what = `${counted(logs.replaced, 'small log')} into ${counted(logs.merged, 'larger one')}`
    lines.unshift(`${dryRun ? 'Would merge' : 'Merged'} ${what}; every commit stays restorable.`)
  }
  if (lines.length === 0) return `${database}: nothing to do; chains are short, and nothing is left over.`
  return [`${database}:`, ...lines.map((line) => `  ${line}`), ...(dryRun ? ['Nothing was changed.'] : [])].join('\n')
}
