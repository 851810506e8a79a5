import type { Lsn } from './lsn.ts'

/** `base`: the whole state, from 0. `delta`: one composed record a key. `log`: every commit inside is addressable. */
export type SegmentKind = 'base' | 'delta' | 'log'

/** A segment holds what changed over the interval `(from, to]` of a database's history. All of it can be read from its object's name. */
export interface SegmentInfo {
  readonly kind: SegmentKind
  /** Exclusive; 0 for a base. */
  readonly from: Lsn
  /** Inclusive. */
  readonly to: Lsn
  /** Grows by one with each takeover of the writer's lease. */
  readonly epoch: number
  /** When Holdfast saw the first and the last commit inside, in milliseconds since 1970. Equal for a base or delta of a one-shot backup. */
  readonly firstTime: number
  readonly lastTime: number
  /** Stored size in bytes. */
  readonly bytes: number
  /** Object key in the storage. */
  readonly key: string
}
