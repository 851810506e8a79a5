import { HoldfastError, hasCode } from '../../errors.ts'
import type { SegmentInfo } from '../../history/segment-info.ts'
import { openStoredSegment } from '../../repository/open-segment.ts'
import type { SegmentReader } from '../../segment/read-segment.ts'
import type { BackupStorage, GetOptions, ObjectInfo, OperationOptions } from '../../storage/storage.ts'
import { checkSegment, judged, type Soundness } from './check-object.ts'
import { putCondition, type Sides } from './sides.ts'

/** Which side is to blame where it could not be copied. */
export type Copied =
  | { readonly is: 'copied' | 'gone' }
  | { readonly is: 'damaged'; readonly side: 'source' | 'mirror'; readonly problem: string }

/**
 * Copies a segment in one pass, each byte checked before the object comes into being on the mirror, and reads it back there.
 * @param replaced what is there, and damaged
 * @throws STORAGE_*, DISK_FULL, ABORTED
 */
export async function copySegment(
  { source, mirror }: Sides,
  segment: SegmentInfo,
  { replaced, ...options }: OperationOptions & { readonly replaced?: ObjectInfo | undefined },
): Promise<Copied> {
  const read: Soundness = await judged(source.storage, segment.key, options, async () => {
    const tee = new Tee(source.storage)
    const reader = await openStoredSegment(tee, segment, options)
    try {
      await mirror.storage.put(segment.key, checkedBytes(reader, tee, segment, options), {
        ...options,
        ...putCondition(mirror, replaced),
      })
    } catch (error) {
      // Put by a run before this one, whose listing did not show it yet.
      if (replaced !== undefined || !hasCode(error, 'OBJECT_EXISTS')) throw error
    }
    return { is: 'sound' }
  })
  if (read.is === 'gone') return { is: 'gone' }
  if (read.is === 'damaged') return { ...read, side: 'source' }
  const written = await checkSegment(mirror.storage, segment, options)
  if (written.is === 'sound') return { is: 'copied' }
  // What does not come back as it was sent is no copy; the next run sends it again.
  await mirror.storage.delete(segment.key, options)
  const problem =
    written.is === 'damaged' ? written.problem : `The object ${segment.key} vanished after it was written.`
  return { is: 'damaged', side: 'mirror', problem }
}

/** Passes on what is read from a storage. */
class Tee implements Pick<BackupStorage, 'get'> {
  readonly #storage: BackupStorage
  #passed: Uint8Array[] | undefined

  constructor(storage: BackupStorage) {
    this.#storage = storage
  }

  /** From now on. */
  begin(): void {
    this.#passed = []
  }

  take(): readonly Uint8Array[] {
    const passed = this.#passed ?? []
    this.#passed = []
    return passed
  }

  async *get(key: string, options: GetOptions = {}): AsyncGenerator<Uint8Array, void, undefined> {
    // The chunks outlive the check that asked for them.
    for await (const chunk of this.#storage.get(key, { ...options, transient: false })) {
      this.#passed?.push(chunk)
      yield chunk
    }
  }
}

/** The bytes of a whole segment. Fails before the last of them if any is not as it should be. @throws INTEGRITY, STORAGE_* */
async function* checkedBytes(
  reader: SegmentReader,
  tee: Tee,
  { key }: SegmentInfo,
  options: OperationOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  tee.begin()
  for await (const { damage } of reader.checkStored(options)) {
    const [first] = damage
    if (first !== undefined) throw new HoldfastError('INTEGRITY', first.message, { object: key })
    yield* tee.take()
  }
}
