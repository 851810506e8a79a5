import { join } from 'node:path'
import { userStateFolder } from '../../util/user-state-folder.ts'

/** The journal of this user, in the state folder. */
export function defaultJournalPath(environment?: NodeJS.ProcessEnv, platform?: NodeJS.Platform): string {
  return join(userStateFolder(environment, platform), 'journal.db')
}
