import { readFileSync } from 'node:fs'

/** Processor time that a process has used, in ticks of the system; undefined where the system does not tell. */
export function cpuTime(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // After the name, which may hold anything: the state is the third field, the times are the 14th and 15th.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const ticks = Number(fields[11]) + Number(fields[12])
    return Number.isNaN(ticks) ? undefined : ticks
  } catch {
    // No such system, or no such process any more.
    return undefined
  }
}
