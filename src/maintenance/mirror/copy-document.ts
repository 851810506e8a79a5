import { hasCode } from '../../errors.ts'
import type { ObjectInfo, OperationOptions } from '../../storage/storage.ts'
import type { Soundness } from './check-object.ts'
import { judged } from './check-object.ts'
import { type MirroredDocument, readMirrored } from './mirrored-document.ts'
import { putCondition, type Sides } from './sides.ts'

export interface CopyDocumentOptions extends OperationOptions {
  /** What is there, and gives way. */
  readonly replaced?: ObjectInfo | undefined
  /** Whether to write it down after all; default: yes. */
  readonly accept?: ((document: MirroredDocument) => boolean) | undefined
}

/** `refused`: it was not accepted. */
export type CopiedDocument = Soundness | { readonly is: 'refused' }

/** Copies a document that is sound, byte for byte. @throws STORAGE_*, DISK_FULL, ABORTED */
export async function copyDocument(
  { source, mirror }: Sides,
  key: string,
  { replaced, accept = () => true, ...options }: CopyDocumentOptions,
): Promise<CopiedDocument> {
  let isRefused = false
  const read = await judged(source.storage, key, options, async () => {
    const document = await readMirrored(source.storage, source.name, key, options)
    if (document === undefined) return { is: 'gone' }
    isRefused = !accept(document)
    if (isRefused) return { is: 'sound' }
    try {
      await mirror.storage.put(key, document.bytes, { ...options, ...putCondition(mirror, replaced) })
    } catch (error) {
      if (replaced !== undefined || !hasCode(error, 'OBJECT_EXISTS')) throw error
    }
    return { is: 'sound' }
  })
  return isRefused ? { is: 'refused' } : read
}
