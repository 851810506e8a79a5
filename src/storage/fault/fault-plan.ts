import type { ErrorCode } from '../../errors.ts'

/** One operation that a {@link FaultStorage} was asked for. */
export interface StorageOperation {
  readonly name: 'put' | 'get' | 'head' | 'list' | 'delete'
  /** Key, or prefix of a listing. */
  readonly key: string
}

/**
 * When the chosen operation fails: `before` it takes effect; `after` it took effect, only its answer is lost; `midway` through
 * its stream: a put has handed over half of its bytes, or half of its first chunk if they come as a stream; a get has
 * returned half of its first chunk, a listing its first object. A head or delete has no middle and fails before.
 */
export type FaultMoment = 'before' | 'after' | 'midway'

/** Damage done to an object whenever it is read; the stored object stays whole. */
export interface ReadDamage {
  readonly key: string
  /** The lowest bit of the byte at this offset is turned over. */
  readonly flipAt?: number | undefined
  /** Reading ends before the byte at this offset, without an error. */
  readonly cutAt?: number | undefined
}

export interface FaultPlan {
  /** The operation that fails, counted from 0 in order of their beginning; default: none. */
  readonly failAt?: number | undefined
  /** Default: `before`. */
  readonly moment?: FaultMoment | undefined
  /** What the failure says; default: STORAGE_TRANSIENT. */
  readonly code?: ErrorCode | undefined
  /** Every operation that begins after the failed one fails too, without effect: as if the process had ended there. */
  readonly crash?: boolean | undefined
  /** How long every operation takes before it begins, in milliseconds; default 0. */
  readonly latencyMs?: number | ((operation: StorageOperation) => number) | undefined
  readonly damage?: readonly ReadDamage[] | undefined
  /** For this many operations after a put or delete, listings show what was there before. Default 0. */
  readonly listLag?: number | undefined
  /** Waits for the latency; must reject when the signal fires. */
  readonly sleep?: ((milliseconds: number, signal?: AbortSignal) => Promise<void>) | undefined
}
