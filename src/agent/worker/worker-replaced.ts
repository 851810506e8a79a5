import { HoldfastError } from '../../errors.ts'
import { formatDuration } from '../../util/format-duration.ts'

/** What ends the calls of a worker that the agent ended because it hung. That it was ended is told once, not by each of them. */
export class WorkerReplaced extends HoldfastError {
  constructor(pid: number, silentMs: number) {
    super('ENGINE_DIED', `Worker process ${pid} had not answered for ${formatDuration(silentMs)} and was ended.`, {
      object: `process ${pid}`,
      hint: 'Another one takes its place.',
    })
  }
}
