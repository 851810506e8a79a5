import { engineEntry } from '../../engine/entry.ts'
import { type Engine, startEngine } from '../../engine/host.ts'
import type { StorageLink } from '../../engine/storage-link.ts'
import { type ExaminerSignatures, examinerApi } from './engine-api.ts'

/**
 * A process of its own that looks at a database which this process follows. It must not be this one: closing any descriptor on the
 * file would let go of the locks by which the follower keeps its place.
 */
export function startExaminer(link: Pick<StorageLink, 'handlers'>): Engine<ExaminerSignatures> {
  return startEngine(engineEntry(import.meta.url, 'engine'), examinerApi, { handlers: link.handlers })
}
