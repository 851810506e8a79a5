import type { OnProgress } from '../../util/progress.ts'

/** One operation among those that a command runs. */
export interface Task {
  readonly onProgress: OnProgress
  /** The operation ended, well or not. */
  end(): void
}

/** Where progress goes: a bar on a terminal, lines elsewhere, JSON, or nowhere. */
export interface ProgressReporter {
  task(label: string): Task
  /** Wipes what is drawn, so that other text can be written; it is drawn again at the next change. */
  clear(): void
}

export const noProgress: ProgressReporter = {
  task: () => ({ onProgress: () => {}, end: () => {} }),
  clear: () => {},
}
