import { Followed } from '../capture/followed.ts'
import { WriterProcess } from '../capture/writer-process.ts'
import type { Contest, Contestant } from '../contest.ts'
import { names } from '../setting.ts'
import type { StudySetting } from '../study.ts'
import { holdfast, holdfastSeconds } from '../tools.ts'

export const recoveryCommits = 50_000
/** A day of batches is merged by and by; these stand for what is not merged yet. */
const syncIntervalMs = 100

/** The newest commit, against the base that it builds on: what is beyond is the replay. */
export function recovery({ original, workspace, scale }: StudySetting): Contest {
  const [live, target] = [workspace.path('app.db'), workspace.path('target')]
  const commits = Math.ceil(recoveryCommits * scale)
  let base = 0
  const restoreOf = (name: string, state: () => readonly string[]): Contestant => ({
    name,
    prepare: () => workspace.remove('target'),
    command: () => [
      ...holdfast(workspace.path('repository'), 'restore', 'app', ...state()),
      ...['--to', target, '--validate', 'none'],
    ],
    cleanUp: () => workspace.remove('target'),
    ownSeconds: holdfastSeconds,
  })
  return {
    id: 'recovery',
    title: `Recovery of ${commits} commits after a base`,
    reference: names.recoverBase,
    setUp: async () => {
      workspace.remove('repository', 'state')
      workspace.copyIn(original, 'app.db')
      const { repository, state: stateFolder } = {
        repository: workspace.path('repository'),
        state: workspace.path('state'),
      }
      await using writer = await WriterProcess.start({ databases: [live], workload: 'mixed' })
      await using followed = await Followed.begin({ database: live, repository, stateFolder, syncIntervalMs })
      base = await followed.sync()
      await writer.write({ commits })
      const newest = await followed.sync()
      if (newest - base !== commits) throw new Error(`${commits} commits were made, and ${newest - base} followed.`)
    },
    contestants: [
      restoreOf(names.recoverBase, () => ['--lsn', String(base)]),
      restoreOf(names.recoverNewest, () => ['--latest']),
    ],
  }
}
