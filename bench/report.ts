/** Standings as Markdown. */
import type { Contest, Standing } from './contest.ts'

const columns = ['', 'best s', 'median s', 'CPU s', '× best', '× median', 'own s', 'stored MB', 'peak MB'] as const

export function contestTable({ title, reference }: Contest, standings: readonly Standing[]): string {
  const base = standings.find(({ name }) => name === reference)
  const rows = standings.map((standing) => [
    standing.name,
    best(standing).toFixed(2),
    medianSeconds(standing).toFixed(2),
    formatted(processorSeconds(standing), 2),
    formatted(base && best(standing) / best(base), 2),
    formatted(base && medianSeconds(standing) / medianSeconds(base), 2),
    formatted(least(standing.runs.map(({ own }) => own)), 2),
    formatted(standing.storedBytes === undefined ? undefined : standing.storedBytes / 1e6, 1),
    formatted(peakBytes(standing) === undefined ? undefined : (peakBytes(standing) ?? 0) / 1e6, 0),
  ])
  return `### ${title}\n\n${markdownTable([...columns], rows)}\n\nRatios are to \`${reference}\`.`
}

export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)))
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join(' | ')} |`
  const rule = `| ${widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(Math.max(1, width - 1))}:`)).join(' | ')} |`
  return [line(head), rule, ...rows.map(line)].join('\n')
}

export function best({ runs }: Standing): number {
  return Math.min(...runs.map(({ seconds }) => seconds))
}

export function medianSeconds({ runs }: Standing): number {
  return median(runs.map(({ seconds }) => seconds))
}

export function peakBytes({ runs }: Standing): number | undefined {
  const peaks = runs.flatMap((run) => run.peakBytes ?? [])
  return peaks.length === 0 ? undefined : Math.max(...peaks)
}

function processorSeconds({ runs }: Standing): number | undefined {
  return least(runs.map((run) => run.processorSeconds))
}

function least(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined)
  return known.length === 0 ? undefined : Math.min(...known)
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const [low = 0, high = 0] = [sorted[sorted.length % 2 === 0 ? middle - 1 : middle], sorted[middle]]
  return (low + high) / 2
}

function formatted(value: number | undefined, digits: number): string {
  return value === undefined ? '' : value.toFixed(digits)
}
