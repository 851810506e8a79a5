import type { ProgressReport } from '../../util/rate-meter.ts'
import { formatBytes } from '../format/bytes.ts'
import { formatDuration } from '../format/duration.ts'
import { formatCount } from '../format/text.ts'

/** A narrow terminal gets a shorter bar rather than no time left. */
const barWidths = [24, 16, 8]

/** `app copy  ████████░░░░  33%  120 MiB of 364 MiB  98.1 MiB/s  2.5 s left`, cut to `width` characters. */
export function barLine(label: string, report: ProgressReport, width: number): string {
  const part = partOf(report)
  const percent = part === undefined ? undefined : `${Math.floor(part * 100)}%`.padStart(4)
  const shown = (bar: string | undefined) =>
    [`${label} ${report.phase}`, bar, percent, amount(report), rate(report), left(report)].filter(
      (fact) => fact !== undefined,
    )
  const bars = part === undefined ? [] : barWidths.map((barWidth) => drawBar(part, barWidth))
  const whole = [...bars, undefined].map(shown).find((facts) => facts.join('  ').length <= width)
  return fit(whole ?? shown(undefined), width)
}

/** The same for a log: no bar. */
export function plainLine(label: string, report: ProgressReport): string {
  const part = partOf(report)
  const percent = part === undefined ? undefined : `${Math.floor(part * 100)}%`
  const facts = [percent, amount(report), rate(report), left(report)].filter((fact) => fact !== undefined)
  return `${label}: ${report.phase} ${facts.join(', ')}`
}

function partOf({ done, total }: ProgressReport): number | undefined {
  return total === undefined || total <= 0 ? undefined : Math.min(1, done / total)
}

function drawBar(part: number, barWidth: number): string {
  const filled = Math.floor(part * barWidth)
  return '█'.repeat(filled) + '░'.repeat(barWidth - filled)
}

function amount({ done, total, unit }: ProgressReport): string {
  const show = unit === 'bytes' ? formatBytes : formatCount
  const name = unit === 'bytes' ? '' : ` ${(total ?? done) === 1 ? unit.slice(0, -1) : unit}`
  return total === undefined ? `${show(done)}${name}` : `${show(done)} of ${show(total)}${name}`
}

function rate({ unit, ratePerSecond }: ProgressReport): string | undefined {
  if (ratePerSecond === undefined || ratePerSecond <= 0) return undefined
  return unit === 'bytes' ? `${formatBytes(ratePerSecond)}/s` : `${formatCount(Math.round(ratePerSecond))} ${unit}/s`
}

function left({ remainingMs }: ProgressReport): string | undefined {
  return remainingMs === undefined ? undefined : `${formatDuration(Math.max(1000, remainingMs))} left`
}

/** Drops what matters least, from the end, until the line fits; a wrapped line could not be wiped. */
function fit(parts: readonly string[], width: number): string {
  const known = [...parts]
  while (known.length > 1 && known.join('  ').length > width) known.pop()
  return known.join('  ').slice(0, Math.max(0, width))
}
