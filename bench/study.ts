/** Figures of one part of Holdfast under a load, where no other tool stands beside it. */
import { markdownTable } from './report.ts'
import type { Verdict } from './targets.ts'
import type { Workspace } from './workspace.ts'

export interface StudySetting {
  /** The generated database; only to be copied. */
  readonly original: string
  readonly workspace: Workspace
  /** Durations and numbers of commits are multiplied with it. */
  readonly scale: number
  readonly note: (line: string) => void
}

export interface Findings {
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
  /** What one has to know to read the table. */
  readonly remark: string
  readonly verdicts: readonly Verdict[]
}

export interface Study {
  readonly id: string
  readonly title: string
  readonly run: (setting: StudySetting) => Promise<Findings>
}

export function findingsText(title: string, { head, rows, remark }: Findings): string {
  return `### ${title}\n\n${markdownTable(head, rows)}\n\n${remark}`
}

export function atMost(target: string, value: number, limit: number, unit: string, digits = 1): Verdict {
  const measured = Number.isFinite(value) ? `${value.toFixed(digits)}${unit}` : 'nothing to measure'
  return { target, measured, met: value <= limit }
}

/** Nothing, if there was nothing to measure. */
export function figure(value: number, digits = 1): string {
  return Number.isFinite(value) ? value.toFixed(digits) : ''
}
