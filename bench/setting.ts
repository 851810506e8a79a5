import type { BenchData } from './data.ts'
import type { OtherTool } from './tools.ts'
import type { Workspace } from './workspace.ts'

/** What the contests of one size are made from. */
export interface Setting {
  readonly data: BenchData
  readonly workspace: Workspace
  /** Whether another program is installed. */
  readonly has: (tool: OtherTool) => boolean
}

/** The names that the targets look up; all other names stand in one place only. */
export const names = {
  version: 'holdfast --version',
  copy: 'cp',
  copySynced: 'cp, then fsync',
  zstd: 'zstd -1 -T2',
  changesAlone: 'zstd -1 of the changed pages alone',
  resticCompressed: 'restic --compression auto',
  fullPlain: 'holdfast, uncompressed',
  fullPlainChecked: 'holdfast, uncompressed, quick_check and row counts',
  fullZstd: 'holdfast',
  fullZstdChecked: 'holdfast, quick_check and row counts (default)',
  incremental: 'holdfast',
  restoreBare: 'holdfast, --validate none',
  restoreDefault: 'holdfast, integrity_check (default)',
  recoverBase: 'holdfast restore of the base',
  recoverNewest: 'holdfast restore of the newest commit',
} as const

/** The tools that this setting has, of contestants that belong to one. */
export function installed<T>(setting: Setting, tool: OtherTool, contestants: readonly T[]): readonly T[] {
  return setting.has(tool) ? contestants : []
}
