import type { PutBody } from '../storage.ts'

/** The first half of a body's bytes, or of a stream's first chunk, and then the failure. */
export async function* halfThenThrow(body: PutBody, error: Error): AsyncGenerator<Uint8Array, void, undefined> {
  if (body instanceof Uint8Array) yield firstHalf(body)
  else {
    for await (const chunk of body) {
      yield firstHalf(chunk)
      break
    }
  }
  throw error
}

function firstHalf(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(0, Math.floor(bytes.length / 2))
}
