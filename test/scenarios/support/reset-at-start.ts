import type { CaptureEvent } from '../../../src/capture/capture-events.ts'
import { gapReasons } from '../../../src/capture/gap-reasons.ts'

type Event<K extends CaptureEvent['kind']> = Extract<CaptureEvent, { kind: K }>

/**
 * A gap of the time before it started. A log that the application has copied as a whole is not held by our reader: a writer may
 * reset it between the moment in which the follower found it intact and that in which it takes what was committed before.
 */
export function isResetAtStart({ reason, fromLsn }: Event<'gap'>, start: Event<'started'>): boolean {
  return start.how === 'resumed' && reason === gapReasons['log-reset'] && fromLsn === start.lsn
}
