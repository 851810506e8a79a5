/** What a drain holds of a log at a time: frames, pages, or former pages. No frame is larger. */
export const drainBytes = 1 << 20
/** As many as one drain uses. */
const mostSpare = 4
const spare: Buffer[] = []

/**
 * Memory of {@link drainBytes} with arbitrary content, at the start of its own ArrayBuffer. It is the process that keeps it, not
 * each follower: an idle database costs none, and a busy one does not leave megabytes of garbage a drain, for which V8 would
 * mark everything in memory every 32 MiB.
 */
export function borrowMemory(): Buffer {
  return spare.pop() ?? Buffer.allocUnsafeSlow(drainBytes)
}

/** Nobody may look at it afterwards. */
export function returnMemory(memory: Buffer | undefined): void {
  if (memory !== undefined && spare.length < mostSpare) spare.push(memory)
}
