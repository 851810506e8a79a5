import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** Ids of the processes that a process has started and that still run. */
export function childIds(pid: number): readonly number[] {
  const tasks = readdirSync(`/proc/${pid}/task`)
  const text = tasks.map((task) => readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8')).join(' ')
  return text.split(/\s+/).filter(Boolean).map(Number)
}

const programOf = (pid: number): string => readFileSync(`/proc/${pid}/cmdline`, 'utf8')

/**
 * The first process that a process starts beside those; waits for it, until it runs its own program: one that is halted before would halt
 * its parent.
 */
export async function nextChild(pid: number, known: readonly number[]): Promise<number> {
  for (;;) {
    const child = childIds(pid).find((each) => !known.includes(each))
    if (child !== undefined && programOf(child) !== programOf(pid)) return child
    await sleep(2)
  }
}
