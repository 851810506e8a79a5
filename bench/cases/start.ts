import type { Contest } from '../contest.ts'
import { names, type Setting } from '../setting.ts'
import { holdfast, holdfastProgram } from '../tools.ts'
import { run } from '../workspace.ts'

/** What the start of the program takes of every other figure. */
export function start({ workspace }: Setting): Contest {
  const reference = "node -e ''"
  return {
    id: 'start',
    title: 'Start',
    reference,
    setUp: () => {
      workspace.remove('repository')
      run(holdfast(workspace.path('repository'), 'init'))
    },
    contestants: [
      { name: reference, command: [process.execPath, '-e', ''] },
      { name: names.version, command: [process.execPath, holdfastProgram, '--version'] },
      { name: 'holdfast list', command: holdfast(workspace.path('repository'), 'list') },
    ],
  }
}
