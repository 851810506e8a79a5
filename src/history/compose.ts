import { applyPatch, composePatches } from './apply-patch.ts'
import { IllegalCompositionError } from './illegal-composition-error.ts'
import type { HistoryRecord, Patch } from './record.ts'

/**
 * Composes two neighbouring records of one key: what `older` and then `newer` do together. `older` is undefined where the key is
 * known to have no former value; where it is merely not known, `newer` stands as it is and there is nothing to compose.
 *
 * Associative wherever every composition is legal. A refusal says that the history is broken, but not every broken history
 * is refused in every order: a later FULL or DROP makes what came before it irrelevant.
 * The result may share its bytes with its arguments: record values are never changed.
 * @throws IllegalCompositionError
 */
export function compose(older: HistoryRecord | undefined, newer: HistoryRecord, key?: unknown): HistoryRecord {
  if (newer.op !== 'patch') return newer
  if (older === undefined)
    throw new IllegalCompositionError('patch-over-nothing', `A patch of ${name(key)}, which has no former value.`, key)
  if (older.op === 'drop')
    throw new IllegalCompositionError('patch-over-drop', `A patch of ${name(key)}, which was dropped.`, key)
  const length = older.op === 'full' ? older.value.length : older.xor.length
  if (length !== newer.xor.length) throw unequalLengths(newer, length, key)
  requireSources(newer, key)
  if (older.op === 'patch') requireSources(older, key)
  return older.op === 'full'
    ? { op: 'full', value: applyPatch(older.value, newer) }
    : { op: 'patch', ...composePatches(older, newer) }
}

export interface MergeOptions {
  /** The run begins at LSN 0: every key starts without a value, and no DROP needs to be remembered. Default false. */
  readonly fromNothing?: boolean | undefined
}

/**
 * Merges a run of neighbouring changes, oldest first, into one. Pages are merged with `foldPages`, which also knows truncation.
 * @throws IllegalCompositionError
 */
export function mergeRecords<Key>(
  run: Iterable<ReadonlyMap<Key, HistoryRecord>>,
  options: MergeOptions = {},
): Map<Key, HistoryRecord> {
  const fromNothing = options.fromNothing ?? false
  const merged = new Map<Key, HistoryRecord>()
  for (const records of run) {
    for (const [key, record] of records) {
      const older = merged.get(key)
      const result = older === undefined && !fromNothing ? record : compose(older, record, key)
      if (fromNothing && result.op === 'drop') merged.delete(key)
      else merged.set(key, result)
    }
  }
  return merged
}

function requireSources({ xor, sources }: Patch, key: unknown): void {
  if (sources === undefined) return
  if (sources.length !== xor.length) throw unequalLengths({ xor }, sources.length, key)
  if (!sources.some((source) => source >= xor.length)) return
  const message = `A patch of ${name(key)} takes bytes from beyond its end.`
  throw new IllegalCompositionError('source-beyond-end', message, key)
}

function unequalLengths({ xor }: Patch, length: number, key: unknown): IllegalCompositionError {
  const message = `A patch of ${xor.length} bytes for ${name(key)}, which has ${length}.`
  return new IllegalCompositionError('unequal-lengths', message, key)
}

function name(key: unknown): string {
  return key === undefined ? 'a key' : `key ${String(key)}`
}
