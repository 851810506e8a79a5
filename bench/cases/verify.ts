import type { Contest, Contestant } from '../contest.ts'
import { installed, type Setting } from '../setting.ts'
import { holdfast, holdfastSeconds, restic, resticEnv, sqlite3 } from '../tools.ts'
import { run } from '../workspace.ts'
import { uncheckedBackup } from './full.ts'

/** Is a backup of the whole database still good? */
export function verify(setting: Setting): Contest {
  const { data, workspace } = setting
  const setUp = () => {
    workspace.remove('packed', 'restic', 'original.zst', 'original.db')
    workspace.copyIn(data.original, 'original.db')
    run(holdfast(workspace.path('packed'), 'init'))
    run(holdfast(workspace.path('packed'), 'backup', data.original, ...uncheckedBackup))
    if (setting.has('zstd')) run(['zstd', '-q', '-1', '-T2', data.original, '-o', workspace.path('original.zst')])
    if (setting.has('restic')) {
      run(restic(workspace.path('restic'), 'init', '--repository-version', '2'), resticEnv)
      run(restic(workspace.path('restic'), 'backup', data.original), resticEnv)
    }
  }
  const ours = (level: string): Contestant => ({
    name: `holdfast verify --level ${level}`,
    command: holdfast(workspace.path('packed'), 'verify', '--level', level, '--scratch', workspace.folder),
    ownSeconds: holdfastSeconds,
  })
  const reference = 'cat'
  return {
    id: 'verify',
    title: `Verification, ${data.gigabytes} GB`,
    reference,
    setUp,
    contestants: [
      { name: reference, command: ['sh', '-c', 'cat "$1" >/dev/null', 'sh', workspace.path('original.db')] },
      ...installed(setting, 'zstd', [
        { name: 'zstd -t', command: ['zstd', '-q', '-t', workspace.path('original.zst')] },
      ]),
      ours('metadata'),
      ours('data'),
      ours('restore'),
      ...installed(setting, 'sqlite3', [
        {
          name: 'sqlite3 quick_check of the database',
          command: sqlite3(workspace.path('original.db'), 'PRAGMA quick_check'),
        },
        {
          name: 'sqlite3 integrity_check of the database',
          command: sqlite3(workspace.path('original.db'), 'PRAGMA integrity_check'),
        },
      ]),
      ...installed(setting, 'restic', [
        {
          name: 'restic check --read-data',
          command: restic(workspace.path('restic'), 'check', '--read-data'),
          env: resticEnv,
        },
      ]),
    ],
  }
}
