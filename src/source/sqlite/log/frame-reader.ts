import { frameHeaderBytes, frameOffset, type LogFile, logWasReset, type PageMap, sameSalts } from './page-map.ts'
import { readFully } from './read-fully.ts'

/** Reading over a gap of this many frames is cheaper than a second system call. */
const gapFrames = 8
const chunkBytes = 1 << 20

interface Wanted {
  readonly frame: number
  readonly page: number
}

/**
 * Copies those pages that stand in the log into `values`, which holds the pages from `first`.
 *
 * The frames were proved when the map was made, and the read mark of the snapshot keeps the log from being reset: nobody may
 * write to frames up to the horizon. Salts and page numbers are compared again, because that costs nothing and a writer
 * that disregards locks would be caught.
 *
 * @throws DATABASE_CHANGED
 */
export async function readFrames(
  log: LogFile,
  map: PageMap,
  into: { readonly first: number; readonly values: Buffer; readonly pageSize: number },
): Promise<void> {
  const { first, values, pageSize } = into
  const frameBytes = frameHeaderBytes + pageSize
  for (const run of runsOf(wantedFrames(map, first, values.length / pageSize), frameBytes)) {
    const chunk = Buffer.allocUnsafe((run.to - run.from + 1) * frameBytes)
    const got = await readFully(log.descriptor, chunk, frameOffset(run.from, pageSize))
    if (got < chunk.length) throw logWasReset(log.path)
    for (const { frame, page } of run.wanted) {
      const start = (frame - run.from) * frameBytes
      if (!sameSalts(chunk, start, map.salts) || chunk.readUInt32BE(start) !== page) throw logWasReset(log.path)
      chunk.copy(values, (page - first) * pageSize, start + frameHeaderBytes, start + frameBytes)
    }
  }
}

function wantedFrames(map: PageMap, first: number, count: number): Wanted[] {
  const wanted: Wanted[] = []
  for (let page = first; page < first + count; page++) {
    const frame = map.frames[page] ?? 0
    if (frame > 0) wanted.push({ frame, page })
  }
  return wanted.sort((a, b) => a.frame - b.frame)
}

interface Run {
  readonly from: number
  to: number
  readonly wanted: Wanted[]
}

/** Frames that lie close together, to be read at once. */
function runsOf(wanted: readonly Wanted[], frameBytes: number): Run[] {
  const longest = Math.max(1, Math.floor(chunkBytes / frameBytes))
  const runs: Run[] = []
  let run: Run | undefined
  for (const item of wanted) {
    if (run && item.frame - run.to <= gapFrames && item.frame - run.from < longest) {
      run.to = item.frame
      run.wanted.push(item)
    } else {
      run = { from: item.frame, to: item.frame, wanted: [item] }
      runs.push(run)
    }
  }
  return runs
}
