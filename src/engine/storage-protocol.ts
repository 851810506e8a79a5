/** What an engine may ask of a storage that lives in its host's process. */
import { z } from 'zod'

const key = z.string()

export const storageDescription = z.strictObject({
  url: z.string(),
  capabilities: z.strictObject({
    conditionalCreate: z.boolean(),
    conditionalReplace: z.boolean(),
    consistentList: z.boolean(),
  }),
})

export const putInput = z.strictObject({
  key,
  /** Absent when the bytes follow as a stream. */
  bytes: z.instanceof(Uint8Array).optional(),
  ifAbsent: z.boolean().optional(),
  ifMatch: z.string().optional(),
})

export const getInput = z.strictObject({ key, offset: z.number().optional(), length: z.number().optional() })
export const listInput = z.strictObject({ prefix: z.string() })
export const keyInput = z.strictObject({ key })

export const chunk = z.instanceof(Uint8Array)
export const objectInfo = z.object({ key, size: z.number(), etag: z.string(), modifiedAt: z.number() })
export const objectInfos = z.array(objectInfo)

export const storageMethods = {
  describe: 'storage.describe',
  put: 'storage.put',
  get: 'storage.get',
  head: 'storage.head',
  list: 'storage.list',
  delete: 'storage.delete',
} as const

/** Longer chunks are cut, so that no message is large; in bytes. */
export const maximumChunk = 1024 * 1024
/** Facts of objects that travel in one message. */
export const listBatch = 256
