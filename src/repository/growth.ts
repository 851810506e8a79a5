import type { Catalog } from './catalog.ts'

/** What a database's part of the repository holds, by the day (UTC) of the states in it. */
export interface GrowthDay {
  /** `2026-11-21`. */
  readonly day: string
  /** Backups whose state is of that day. */
  readonly backups: number
  /** Commits in logs that end on that day. */
  readonly commits: number
  /** Stored bytes of the segments that end on that day; those of logs as a part of them. */
  readonly bytes: number
  readonly logBytes: number
  /** Stored bytes of all segments up to the end of that day. */
  readonly totalBytes: number
  /** Size of the database at the last backup of that day or before; 0 before the first. */
  readonly databaseBytes: number
}

/** Oldest first; days without anything are left out. From names and manifests alone, so it is as old as the oldest that is kept. */
export function growthByDay({ segments, backups }: Catalog): GrowthDay[] {
  const segmentsOf = Map.groupBy(segments, ({ lastTime }) => new Date(lastTime).toISOString().slice(0, 10))
  const backupsOf = Map.groupBy(backups, ({ capturedAt }) => capturedAt.slice(0, 10))
  const days = [...new Set([...segmentsOf.keys(), ...backupsOf.keys()])].sort()
  let totalBytes = 0
  let databaseBytes = 0
  return days.map((day) => {
    const ended = segmentsOf.get(day) ?? []
    const made = backupsOf.get(day) ?? []
    const logs = ended.filter(({ kind }) => kind === 'log')
    const bytes = sumOfBytes(ended)
    totalBytes += bytes
    databaseBytes = made.at(-1)?.databaseBytes ?? databaseBytes
    return {
      day,
      backups: made.length,
      commits: logs.reduce((sum, { from, to }) => sum + to - from, 0),
      bytes,
      logBytes: sumOfBytes(logs),
      totalBytes,
      databaseBytes,
    }
  })
}

function sumOfBytes(segments: readonly { readonly bytes: number }[]): number {
  return segments.reduce((sum, { bytes }) => sum + bytes, 0)
}
