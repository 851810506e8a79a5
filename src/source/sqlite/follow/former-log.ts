import { matchesStored } from '../log/checksum.ts'
import { frameHeaderBytes, frameOffset, type LogFile, logHeaderBytes, sameSalts } from '../log/page-map.ts'
import { type FrameRun, type LogFrame, readFrameRun, readLog } from './frame-run.ts'
import type { LogPlace } from './log-cursor.ts'

/**
 * What is left, beyond our place, of a log that was reset since: a reset leaves the file as it is, and the log that follows
 * writes over it from the first frame on.
 *
 * @param onFrame is given every frame that follows ours; `value` is valid until it returns
 * @returns the byte order of the checksums, if that is all there ever was
 */
export async function readFormerFrames(
  log: LogFile,
  from: LogPlace,
  of: { readonly pageSize: number; readonly signal: AbortSignal | undefined },
  onFrame: (frame: LogFrame) => void,
): Promise<{ readonly bigEndian: boolean } | undefined> {
  const run = await readFrameRun(log, from, of, onFrame)
  return run !== undefined && (await isEnd(log, run, from.salts, of.pageSize))
    ? { bigEndian: run.bigEndian }
    : undefined
}

/**
 * Whether the former log ended with the run, what follows being no frame of it. The last one must still be there: then the file was
 * not cut short before it, and since the present log is written in order, nothing of it stood beyond when that was read. A file that
 * ends within a frame was cut (`journal_size_limit`), and there was more.
 */
async function isEnd(
  log: LogFile,
  { lastFrame, checksum, isCutOff }: FrameRun,
  salts: Buffer,
  pageSize: number,
): Promise<boolean> {
  if (isCutOff) return false
  if (lastFrame === 0) return (await readLog(log, 0, logHeaderBytes)).subarray(16, 24).equals(salts)
  const frame = await readLog(log, frameOffset(lastFrame, pageSize), frameHeaderBytes)
  return frame.length === frameHeaderBytes && sameSalts(frame, 0, salts) && matchesStored(checksum, frame, 16)
}
