import { composePatches } from './compose-patches.ts'
import { applyPatch } from './patch.ts'
import { type Op, op } from './segment.ts'

/** What several records of one page do together. */
export interface ComposedRecord {
  readonly op: Op
  readonly value: Uint8Array
}

/** An older record, if there is one, and then a newer one, whose memory may be used again afterwards. The older one's may be changed. */
export function composeRecords(
  older: ComposedRecord | undefined,
  isFull: boolean,
  value: Uint8Array,
  pageSize: number,
): ComposedRecord {
  // A Buffer's own slice() would share its memory.
  if (isFull) return { op: op.full, value: new Uint8Array(value) }
  if (older === undefined) return { op: op.patch, value: new Uint8Array(value) }
  if (older.op === op.patch) return { op: op.patch, value: composePatches(older.value, value, pageSize) }
  applyPatch(older.value, value)
  return older
}
