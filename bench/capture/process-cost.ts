/** What processes cost, as Linux tells it in /proc. */
import { readdirSync, readFileSync } from 'node:fs'
import { processorSeconds } from './followed.ts'

export const canMeasureProcesses = process.platform === 'linux'

export interface ProcessCost {
  readonly processorSeconds: number
  /** A page that processes share counts for each of them in part: the sum over all is what they take together. */
  readonly proportionalBytes: number
  /** A page that processes share counts for each of them in full. */
  readonly residentBytes: number
  readonly openFiles: number
  /** How often its main thread has been woken: its voluntary context switches. */
  readonly wakeUps: number
}

/** A process and all that it started, and so on. */
export function processTree(pid: number): readonly number[] {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  )
  return [pid, ...children.flatMap(processTree)]
}

/** Of all of them together, so far. */
export function costOf(pids: readonly number[]): ProcessCost {
  const costs = pids.map((pid): ProcessCost => {
    const memory = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')
    return {
      processorSeconds: processorSeconds(pid),
      proportionalBytes: 1024 * numberAfter('Pss', memory),
      residentBytes: 1024 * numberAfter('Rss', memory),
      openFiles: readdirSync(`/proc/${pid}/fd`).length,
      wakeUps: numberAfter('voluntary_ctxt_switches', readFileSync(`/proc/${pid}/status`, 'utf8')),
    }
  })
  const total = (of: (cost: ProcessCost) => number) => costs.reduce((sum, cost) => sum + of(cost), 0)
  return {
    processorSeconds: total((cost) => cost.processorSeconds),
    proportionalBytes: total((cost) => cost.proportionalBytes),
    residentBytes: total((cost) => cost.residentBytes),
    openFiles: total((cost) => cost.openFiles),
    wakeUps: total((cost) => cost.wakeUps),
  }
}

function numberAfter(name: string, text: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1])
}
