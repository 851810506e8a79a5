import { CountingWriter, drainAll, openFollower, tee, withoutFormer } from '../capture/opened.ts'
import type { WorkloadName } from '../capture/workloads.ts'
import { WriterProcess } from '../capture/writer-process.ts'
import type { Study, StudySetting } from '../study.ts'

/** Commits in one segment: those of a second, the default `syncInterval`, of an application that writes a lot. */
const commitsASegment = 2000

interface Kind {
  readonly workload: WorkloadName
  readonly commits: number
  /** Of the full-page images, if there is a target. */
  readonly part: number | undefined
}

const kinds: readonly Kind[] = [
  { workload: 'row updates', commits: 20_000, part: 1 / 100 },
  { workload: 'text updates', commits: 20_000, part: undefined },
  { workload: 'mixed', commits: 20_000, part: 1 / 8 },
  { workload: 'inserts', commits: 20_000, part: 1 / 3.5 },
  { workload: 'bulk load', commits: 4, part: undefined },
]

/** Bytes of log segments, against the same segments with every page whole. */
export const logVolume: Study = {
  id: 'log-volume',
  title: 'Log volume against full-page images, same writer and compression',
  run: async (setting) => {
    const volumes = []
    for (const kind of kinds) volumes.push({ ...kind, ...(await volumeOf(kind, setting)) })
    return {
      head: ['', 'commits', 'WAL MB', 'full pages MB', 'holdfast MB', 'bytes a commit', 'ratio', 'target'],
      rows: volumes.map(({ workload, taken, full, ours, part }) => [
        workload,
        String(taken.commits),
        megabytes(taken.bytes),
        megabytes(full),
        megabytes(ours),
        (ours / taken.commits).toFixed(0),
        `1/${(full / ours).toFixed(1)}`,
        part === undefined ? '' : `1/${1 / part}`,
      ]),
      remark: `${commitsASegment} commits a segment, zstd; both with page hashes and commit tables.`,
      verdicts: volumes.flatMap(({ workload, full, ours, part }) =>
        part === undefined
          ? []
          : [
              {
                target: `log volume, ${workload} ≤ 1/${1 / part} of full-page images`,
                measured: `1/${(full / ours).toFixed(1)}`,
                met: ours <= full * part,
              },
            ],
      ),
    }
  },
}

async function volumeOf({ workload, commits }: Kind, { original, workspace, scale, note }: StudySetting) {
  note(`Log volume: ${workload}`)
  const path = workspace.path('volume.db')
  workspace.copyIn(original, 'volume.db')
  await using writer = await WriterProcess.start({ databases: [path], workload })
  await using opened = await openFollower(path)
  const ours = new CountingWriter(opened, workspace.path('ours'))
  const full = new CountingWriter(opened, workspace.path('full'))
  const both = tee([ours, withoutFormer(full)])
  const taken = { commits: 0, bytes: 0 }
  for (let left = Math.ceil(commits * scale); left > 0; left -= commitsASegment) {
    await writer.write({ commits: Math.min(left, commitsASegment) })
    const more = await drainAll(opened.follower, both)
    taken.commits += more.commits
    taken.bytes += more.bytes
    await ours.close()
    await full.close()
  }
  return { taken, ours: ours.bytes, full: full.bytes }
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(2)
}
