/** Runs one command as a process of its own, and says what it took. */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'

export interface Usage {
  /** From start to end of the process, in seconds. */
  readonly seconds: number
  /** Processor time of all its threads and children; undefined without GNU time. */
  readonly processorSeconds: number | undefined
  /** Peak resident memory of the largest process, in bytes; undefined without GNU time. */
  readonly peakBytes: number | undefined
  readonly stdout: string
}

const timer = '/usr/bin/time'

export const canMeasureMemory = process.platform === 'linux' && existsSync(timer)

/** @throws Error with what the command printed, unless it exits with 0 */
export function measure(
  command: readonly string[],
  options: { readonly folder: string; readonly env?: NodeJS.ProcessEnv | undefined },
): Usage {
  const report = join(options.folder, '.usage')
  const whole = canMeasureMemory ? [timer, '--quiet', '-f', '%U %S %M', '-o', report, ...command] : command
  const [program = '', ...args] = whole
  const started = performance.now()
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    cwd: options.folder,
    env: { ...process.env, ...options.env },
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  })
  const seconds = (performance.now() - started) / 1000
  if (error) throw error
  if (status !== 0) throw new Error(`${command.join(' ')} ended with ${status}:\n${stdout}${stderr}`)
  if (!canMeasureMemory) return { seconds, processorSeconds: undefined, peakBytes: undefined, stdout }
  const [user = 0, system = 0, kilobytes = 0] = readFileSync(report, 'utf8').trim().split(' ').map(Number)
  rmSync(report)
  return { seconds, processorSeconds: user + system, peakBytes: kilobytes * 1024, stdout }
}
