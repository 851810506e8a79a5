import { basename, isAbsolute, resolve } from 'node:path'
import { currentActor } from '../../agent/journal/audit/actor.ts'
import { defaultJournalPath } from '../../agent/journal/journal-path.ts'
import { currentProcess } from '../../util/process-identity.ts'
import { JournalProcess } from './journal-process.ts'
import { LibraryJournal } from './library-journal.ts'
import { warnOnce } from './warn-once.ts'

interface Shared {
  readonly journal: LibraryJournal
  readonly process: JournalProcess
  users: number
}

/** By path and program: however many managers an application has, one process writes their journal. */
const shared = new Map<string, Shared>()

export interface TakenJournal extends AsyncDisposable {
  readonly journal: LibraryJournal
}

/**
 * The journal of this process at that place. Its own process ends with the last who took it.
 * @param path default: the user's
 * @param execPath the Node.js that runs it
 */
export function takeJournal(path: string = defaultJournalPath(), execPath?: string): TakenJournal {
  const place = resolve(path)
  const key = JSON.stringify([place, execPath])
  const taken = shared.get(key) ?? open(place, execPath)
  shared.set(key, taken)
  taken.users += 1
  let isReleased = false
  return {
    journal: taken.journal,
    [Symbol.asyncDispose]: async () => {
      if (isReleased) return
      isReleased = true
      taken.users -= 1
      if (taken.users > 0) return
      shared.delete(key)
      await taken.process[Symbol.asyncDispose]()
    },
  }
}

function open(path: string, execPath: string | undefined): Shared {
  const actor = currentActor(programName())
  const process = new JournalProcess({ path, actor, process: currentProcess() }, { execPath }, warnOnce)
  const journal = new LibraryJournal({ path, actor, process, now: Date.now, onWarning: warnOnce })
  return { journal, process, users: 0 }
}

/** The script that this process runs; never its arguments, which could hold secrets. */
function programName(): string {
  const [executable = process.execPath, script = ''] = process.argv
  // Where there is no script, as in a packaged application, an argument has its place.
  const isScript = isAbsolute(script) && /\.(?:[cm]?[jt]s|[jt]sx)$/.test(script)
  return isScript ? script : basename(executable)
}
