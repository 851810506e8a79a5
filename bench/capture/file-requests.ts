/** How often processes ask the file system for something below a folder, told by strace. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** strace may not attach in an instant; what it sees before is not counted. */
const attachMs = 1_000

/**
 * System calls with a path below the folder. Every request to a local storage makes at least one, so none means none.
 * @param report a file for what strace says; removed in the end
 * @returns NaN where strace is not installed, or may not attach
 */
export async function countFileRequests(
  pids: readonly number[],
  { folder, report, forMs }: { readonly folder: string; readonly report: string; readonly forMs: number },
): Promise<number> {
  const args = [
    '-f',
    '-qq',
    '-e',
    'trace=%file',
    '-s',
    '4096',
    '-o',
    report,
    ...pids.flatMap((pid) => ['-p', `${pid}`]),
  ]
  const strace = spawn('strace', args, { stdio: 'ignore' })
  const ended = once(strace, 'exit').catch(() => undefined)
  await sleep(attachMs + forMs)
  if (strace.pid === undefined || strace.exitCode !== null) return Number.NaN
  strace.kill('SIGINT')
  await ended
  try {
    const lines = readFileSync(report, 'utf8').split('\n')
    return lines.filter((line) => line.includes(`"${folder}/`)).length
  } finally {
    rmSync(report, { force: true })
  }
}
