/** The programs that are compared: how each is called. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

export const holdfastProgram = join(import.meta.dirname, '..', 'bin', 'holdfast.js')

export function holdfast(repository: string, ...args: readonly string[]): string[] {
  return [process.execPath, holdfastProgram, '--json', '--repository', repository, ...args]
}

/** The last line that a command with `--json` printed. */
export function holdfastResult(stdout: string): Record<string, unknown> {
  const parsed: unknown = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '')
  if (typeof parsed !== 'object' || parsed === null) throw new Error(`Not a result: ${stdout}`)
  return { ...parsed }
}

/** Of a command that reports its duration itself; of `backup`, that of its only backup. */
export function holdfastSeconds(stdout: string): number {
  const result = holdfastResult(stdout)
  const [backup]: unknown[] = Array.isArray(result['backups']) ? result['backups'] : []
  const timed: object = typeof backup === 'object' && backup !== null ? backup : result
  const milliseconds = 'durationMs' in timed ? Number(timed.durationMs) : Number.NaN
  return milliseconds / 1000
}

/** No cache folder: it would be outside of the working folder, and helps only with remote repositories. */
export function restic(repository: string, ...args: readonly string[]): string[] {
  return ['restic', '--no-cache', '--quiet', '--repo', repository, ...args]
}
export const resticEnv = { RESTIC_PASSWORD: 'benchmark' }

export function sqlite3(database: string, statement: string): string[] {
  return ['sqlite3', database, statement]
}

const versionArguments = { zstd: '--version', sqlite3: '--version', restic: 'version' } as const
export type OtherTool = keyof typeof versionArguments

/** What it says of its version, or undefined if it is not installed. */
export function versionOf(tool: OtherTool): string | undefined {
  const { status, stdout } = spawnSync(tool, [versionArguments[tool]], { encoding: 'utf8' })
  return status === 0 ? (/v?\d+\.\d+(\.\d+)?/.exec(stdout)?.[0] ?? 'unknown') : undefined
}
