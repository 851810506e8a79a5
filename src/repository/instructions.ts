import { formatDocument } from './format-document.ts'
import { formatKey, recoveryKey } from './layout.ts'
import { recoveryText } from './recovery-text.ts'

/** What lies beside the data for whoever has nothing else: texts that come with the program, by their keys. */
export async function instructions(): Promise<(readonly [key: string, text: Uint8Array])[]> {
  const format = await formatDocument()
  return [[recoveryKey, Buffer.from(recoveryText())], ...(format === undefined ? [] : [[formatKey, format] as const])]
}
