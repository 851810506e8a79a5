import type { Contest, Contestant } from '../contest.ts'
import { installed, names, type Setting } from '../setting.ts'
import { holdfast, holdfastSeconds, restic, resticEnv, sqlite3 } from '../tools.ts'
import { run } from '../workspace.ts'

export const uncheckedBackup = ['--validate', 'none', '--no-row-counts'] as const

/** A first backup of the whole database. */
export function fullBackup(setting: Setting): Contest {
  const { data, workspace } = setting
  const copy = workspace.path('copy')
  const file = (name: string, command: readonly string[]): Contestant => ({
    name,
    command,
    prepare: () => workspace.remove('copy'),
    stored: () => workspace.bytes('copy'),
    cleanUp: () => workspace.remove('copy'),
  })
  const ours = (name: string, ...options: readonly string[]): Contestant => ({
    name,
    command: holdfast(workspace.path('repository'), 'backup', data.original, '--type', 'full', ...options),
    prepare: () => {
      workspace.remove('repository')
      run(holdfast(workspace.path('repository'), 'init'))
    },
    stored: () => workspace.bytes('repository'),
    cleanUp: () => workspace.remove('repository'),
    ownSeconds: holdfastSeconds,
  })
  const theirs = (compression: string): Contestant => ({
    name: `restic --compression ${compression}`,
    command: restic(workspace.path('restic'), 'backup', '--compression', compression, data.original),
    env: resticEnv,
    prepare: () => {
      workspace.remove('restic')
      run(restic(workspace.path('restic'), 'init', '--repository-version', '2'), resticEnv)
    },
    stored: () => workspace.bytes('restic'),
    cleanUp: () => workspace.remove('restic'),
  })
  return {
    id: 'full',
    title: `Full backup, ${data.gigabytes} GB`,
    reference: names.copy,
    contestants: [
      file(names.copy, ['cp', data.original, copy]),
      file(names.copySynced, ['sh', '-c', 'cp "$1" "$2" && sync "$2"', 'sh', data.original, copy]),
      ...installed(setting, 'sqlite3', [
        file('sqlite3 .backup', sqlite3(data.original, `.backup '${copy}'`)),
        file('sqlite3 VACUUM INTO', sqlite3(data.original, `VACUUM INTO '${copy}'`)),
      ]),
      ours(names.fullPlain, '--codec', 'none', ...uncheckedBackup),
      ours(names.fullPlainChecked, '--codec', 'none'),
      ...installed(setting, 'zstd', [file(names.zstd, ['zstd', '-q', '-1', '-T2', data.original, '-o', copy])]),
      ours(names.fullZstd, ...uncheckedBackup),
      ours(names.fullZstdChecked),
      ...installed(setting, 'restic', [theirs('off'), theirs('auto')]),
    ],
  }
}
