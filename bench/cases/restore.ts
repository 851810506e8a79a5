import type { Contest, Contestant } from '../contest.ts'
import { installed, names, type Setting } from '../setting.ts'
import { holdfast, holdfastSeconds, restic, resticEnv } from '../tools.ts'
import { run } from '../workspace.ts'
import { uncheckedBackup } from './full.ts'

/** The whole database from its full backup to a new file. */
export function restore(setting: Setting): Contest {
  const { data, workspace } = setting
  const target = workspace.path('target')
  const setUp = () => {
    workspace.remove('packed', 'plain', 'restic', 'original.zst')
    for (const [repository, codec] of [
      ['packed', 'zstd'],
      ['plain', 'none'],
    ] as const) {
      run(holdfast(workspace.path(repository), 'init'))
      // With row counts, so that the restores have something to compare with.
      run(holdfast(workspace.path(repository), 'backup', data.original, '--validate', 'none', '--codec', codec))
    }
    if (setting.has('zstd')) run(['zstd', '-q', '-1', '-T2', data.original, '-o', workspace.path('original.zst')])
    if (setting.has('restic')) {
      run(restic(workspace.path('restic'), 'init', '--repository-version', '2'), resticEnv)
      run(restic(workspace.path('restic'), 'backup', data.original), resticEnv)
    }
  }
  const toTarget = {
    prepare: () => workspace.remove('target'),
    cleanUp: () => workspace.remove('target'),
  }
  const ours = (name: string, repository: string, validate: string): Contestant => ({
    ...toTarget,
    name,
    command: holdfast(
      workspace.path(repository),
      ...['restore', 'original', '--latest', '--to', target, '--validate', validate],
    ),
    ownSeconds: holdfastSeconds,
  })
  return {
    id: 'restore',
    title: `Restore, ${data.gigabytes} GB`,
    reference: names.copy,
    setUp,
    contestants: [
      { ...toTarget, name: names.copy, command: ['cp', data.original, target] },
      {
        ...toTarget,
        name: names.copySynced,
        command: ['sh', '-c', 'cp "$1" "$2" && sync "$2"', 'sh', data.original, target],
      },
      ...installed(setting, 'zstd', [
        { ...toTarget, name: 'zstd -d', command: ['zstd', '-q', '-d', workspace.path('original.zst'), '-o', target] },
      ]),
      ours(names.restoreBare, 'packed', 'none'),
      ours('holdfast, quick_check', 'packed', 'quick'),
      ours(names.restoreDefault, 'packed', 'integrity'),
      ours('holdfast, --validate none, from uncompressed', 'plain', 'none'),
      ...installed(setting, 'restic', [
        {
          ...toTarget,
          name: 'restic restore',
          command: restic(workspace.path('restic'), 'restore', 'latest', '--target', target),
          env: resticEnv,
        },
      ]),
    ],
  }
}

/** Back to the backup's state with a file of which one percent of the pages differ. */
export function deltaRestore(setting: Setting): Contest {
  const { data, workspace } = setting
  const target = workspace.path('target')
  const ours = (name: string, validate: string, delta: boolean): Contestant => ({
    name,
    prepare: () => workspace.copyIn(data.changed[1].path, 'target'),
    command: holdfast(
      workspace.path('packed'),
      ...['restore', 'original', '--latest', '--to', target, '--validate', validate],
      delta ? '--delta' : '--force',
    ),
    cleanUp: () => workspace.remove('target'),
    ownSeconds: holdfastSeconds,
  })
  return {
    id: 'delta-restore',
    title: `Restore over a file of which 1 % of the pages differ, ${data.gigabytes} GB`,
    reference: names.copy,
    setUp: () => {
      workspace.remove('packed')
      run(holdfast(workspace.path('packed'), 'init'))
      run(holdfast(workspace.path('packed'), 'backup', data.original, ...uncheckedBackup))
    },
    contestants: [
      {
        name: names.copy,
        prepare: () => workspace.copyIn(data.changed[1].path, 'target'),
        command: ['cp', data.original, target],
        cleanUp: () => workspace.remove('target'),
      },
      ours('holdfast --delta, --validate none', 'none', true),
      ours('holdfast --delta, quick_check', 'quick', true),
      ours('holdfast --delta, integrity_check (default)', 'integrity', true),
      ours('holdfast --force, --validate none', 'none', false),
    ],
  }
}
