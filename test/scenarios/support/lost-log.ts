import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { Random } from '../../support/random.ts'

const headerBytes = 32
const frameHeaderBytes = 24
const sectorBytes = 512

/** What became of the log's unsynced writes when the power failed. */
export type Damage =
  /** The first so many commits reached the disk, and nothing after them. */
  | 'ends at a commit'
  /** The last write that reached the disk did so in part. */
  | 'ends within a frame'
  /** Later writes reached the disk before earlier ones, which did not. */
  | 'has a hole'
  /** Some sectors of a frame reached the disk, others not. */
  | 'is torn'
  /** Not even its header. */
  | 'is empty'

/**
 * Does to a log of which nothing was synced what a power loss may do, such that at least its last commit is lost. Nobody may have
 * the database open. The shared memory does not survive the machine.
 */
export function losePower(path: string, damage: Damage, random: Random): void {
  const log = readFileSync(`${path}-wal`)
  const commits = commitEnds(log)
  const last = commits.at(-1)
  if (last === undefined || commits.length < 2) throw new Error('The log holds too little.')
  const frameBytes = frameHeaderBytes + log.readUInt32BE(8)
  const somewhere = headerBytes + random.below(last - headerBytes - 1)
  const frame = headerBytes + Math.floor((somewhere - headerBytes) / frameBytes) * frameBytes
  const damaged = (): Buffer => {
    switch (damage) {
      case 'ends at a commit':
        return log.subarray(0, commits[random.below(commits.length - 1)])
      case 'ends within a frame':
        return log.subarray(0, somewhere)
      case 'has a hole':
        return Buffer.from(log).fill(0, frame, Math.min(log.length, frame + frameBytes * (1 + random.below(3))))
      case 'is torn': {
        const sector = Math.floor(frame / sectorBytes + 1) * sectorBytes
        // What stood there before; zeros might be just what was written.
        return Buffer.from(log).fill(0x5a, sector, Math.min(sector + sectorBytes, last))
      }
      case 'is empty':
        return Buffer.alloc(0)
    }
  }
  writeFileSync(`${path}-wal`, damaged())
  rmSync(`${path}-shm`, { force: true })
}

/** Where the frames of this log (the salts of its header) that end a commit end. */
function commitEnds(log: Buffer): number[] {
  const frameBytes = frameHeaderBytes + log.readUInt32BE(8)
  const ends: number[] = []
  for (let at = headerBytes; at + frameBytes <= log.length; at += frameBytes) {
    if (log.compare(log, 16, 24, at + 8, at + 16) !== 0) break
    if (log.readUInt32BE(at + 4) > 0) ends.push(at + frameBytes)
  }
  return ends
}
