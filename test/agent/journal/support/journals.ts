import { DatabaseSync } from 'node:sqlite'
import type { Actor } from '../../../../src/agent/journal/audit/actor.ts'
import { Journal, type JournalOptions } from '../../../../src/agent/journal/journal.ts'
import type { OperationStart } from '../../../../src/agent/journal/operation.ts'
import { temporaryFolder } from '../../../support/temporary-folder.ts'

export const actor: Actor = {
  user: 'ada',
  uid: 1000,
  sudoUser: null,
  host: 'shop',
  pid: 42,
  command: 'holdfast backup',
  from: null,
}

export const start: OperationStart = { kind: 'backup', database: 'app', repository: 'memory:', trigger: 'manual' }

/** A journal in a folder of its own, with a clock that only the test moves. */
export function journalPlace() {
  const folder = temporaryFolder()
  const path = folder.file('state/holdfast/journal.db')
  const warnings: string[] = []
  const clock = { time: Date.parse('2026-11-21T12:00:00.000Z') }
  return {
    folder,
    path,
    warnings,
    clock,
    /** As another process has it: nothing is shared but the file. */
    open: (options: Partial<JournalOptions> = {}) =>
      new Journal({
        path,
        actor,
        now: () => clock.time,
        onWarning: (message) => warnings.push(message),
        ...options,
      }),
    /** What somebody does to the file with a program of their own. */
    tamper: (sql: string) => {
      using database = new DatabaseSync(path)
      database.exec(sql)
    },
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  }
}
