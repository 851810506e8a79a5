import type { Contest, Contestant } from '../contest.ts'
import type { ChangedDatabase } from '../data.ts'
import { installed, names, type Setting } from '../setting.ts'
import { holdfast, holdfastSeconds, restic, resticEnv } from '../tools.ts'
import { run } from '../workspace.ts'
import { uncheckedBackup } from './full.ts'

/** The next backup of a database of which some pages changed. The full backup before it is not timed, and its bytes do not count. */
export function incrementalBackup(setting: Setting, percent: 1 | 10): Contest {
  const { data, workspace } = setting
  const changed: ChangedDatabase = data.changed[percent]
  const live = workspace.path('live.db')
  const megabytes = Math.round((changed.pages * 4096) / 1e6)
  const setUp = () => {
    workspace.remove('base', 'restic-base')
    workspace.copyIn(data.original, 'live.db')
    run(holdfast(workspace.path('base'), 'init'))
    run(holdfast(workspace.path('base'), 'backup', live, ...uncheckedBackup))
    if (setting.has('restic')) {
      run(restic(workspace.path('restic-base'), 'init', '--repository-version', '2'), resticEnv)
      run(restic(workspace.path('restic-base'), 'backup', live), resticEnv)
    }
    workspace.copyIn(changed.path, 'live.db')
  }
  const onClone = (base: string): Omit<Contestant, 'name' | 'command'> => ({
    prepare: () => workspace.cloneFolder(base, 'clone'),
    stored: () => workspace.bytes('clone') - workspace.bytes(base),
    cleanUp: () => workspace.remove('clone'),
  })
  const ours = (name: string, ...options: readonly string[]): Contestant => ({
    ...onClone('base'),
    name,
    command: holdfast(workspace.path('clone'), 'backup', live, '--type', 'incremental', ...options),
    ownSeconds: holdfastSeconds,
  })
  const copy: Omit<Contestant, 'name' | 'command'> = {
    prepare: () => workspace.remove('copy'),
    stored: () => workspace.bytes('copy'),
    cleanUp: () => workspace.remove('copy'),
  }
  return {
    id: `incremental-${percent}`,
    title: `Incremental backup, ${megabytes} MB (${percent} % of the pages) changed in ${data.gigabytes} GB`,
    reference: names.copy,
    setUp,
    contestants: [
      { ...copy, name: names.copy, command: ['cp', live, workspace.path('copy')] },
      ...installed(setting, 'zstd', [
        {
          ...copy,
          name: names.changesAlone,
          command: ['zstd', '-q', '-1', '-T2', changed.onlyChanges, '-o', workspace.path('copy')],
        },
      ]),
      ours(names.incremental, ...uncheckedBackup),
      ours('holdfast, quick_check and row counts (default)'),
      ...installed(setting, 'restic', [
        {
          ...onClone('restic-base'),
          name: names.resticCompressed,
          command: restic(workspace.path('clone'), 'backup', live),
          env: resticEnv,
        },
      ]),
    ],
  }
}
