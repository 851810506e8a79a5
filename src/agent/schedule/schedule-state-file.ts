import { join } from 'node:path'
import { type LocalFiles, localFiles } from '../../capture/spool/local-files.ts'
import { readState, writeState } from '../state/state-document.ts'
import { type ScheduleState, scheduleStateDocument, scheduleStateSchema } from './schedule-state.ts'
import type { ScheduleStateStore } from './state-keeper.ts'

const kind = 'schedules'

/** The schedules' state in the agent's state folder. Only one process may write it. */
export class ScheduleStateFile implements ScheduleStateStore {
  readonly path: string
  readonly #files: LocalFiles

  constructor(folder: string, files: LocalFiles = localFiles) {
    this.path = join(folder, 'schedules.json')
    this.#files = files
  }

  /**
   * Empty if there is none. One that is damaged is as good as none, since runs that were missed can be told from the
   * repository; but it is said.
   * @throws ACCESS_DENIED, INTERNAL
   */
  async read(warn: (message: string) => void): Promise<ScheduleState> {
    const read = await readState(kind, scheduleStateSchema, this.path, this.#files)
    if (read.found) return read.body
    if (read.problem !== undefined) warn(`When schedules ran last cannot be told, so they begin anew. ${read.problem}`)
    return new Map()
  }

  /** Durable when it resolves. @returns bytes written @throws DISK_FULL, ACCESS_DENIED, INTERNAL */
  async write(state: ScheduleState): Promise<number> {
    return await writeState(kind, scheduleStateDocument(state), this.path, this.#files)
  }
}
