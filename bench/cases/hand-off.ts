import { flushMs } from '../capture/flush.ts'
import { Followed, logFileBytes } from '../capture/followed.ts'
import { largest, percentile } from '../capture/percentile.ts'
import type { WorkloadName } from '../capture/workloads.ts'
import { WriterProcess } from '../capture/writer-process.ts'
import { atMost, figure, type Study, type StudySetting } from '../study.ts'

const forMs = 20_000
const sampleMs = 5

interface Kind {
  readonly workload: WorkloadName
  /** 0: at full speed. */
  readonly everyMs: number
}

const kinds: readonly Kind[] = [
  { workload: 'row updates', everyMs: 0.5 },
  { workload: 'mixed', everyMs: 1 },
  { workload: 'row updates', everyMs: 0 },
  { workload: 'mixed', everyMs: 0 },
]

/** How long writers are held up when the log is handed back to the database, and how large it gets. */
export const handOff: Study = {
  id: 'hand-off',
  title: 'Handing the log back to the database',
  run: async (setting) => {
    const watched = []
    for (const kind of kinds) watched.push({ ...kind, ...(await watch(kind, setting)) })
    const flush = flushMs(setting.workspace)
    return {
      head: [
        ...['', 'commits/s', 'hand-offs', 'complete', 'lock p50 ms', 'p99', 'max'],
        ...['log p50 MB', 'max', 'commit p99.9 ms', 'max'],
      ],
      rows: watched.map(({ name, rate, handOffs, held, logBytes, tookMs }) => [
        name,
        rate.toFixed(0),
        String(handOffs.length),
        String(handOffs.filter(({ complete }) => complete).length),
        ...[percentile(held, 0.5), percentile(held, 0.99), largest(held)].map((value) => figure(value)),
        ...[percentile(logBytes, 0.5), largest(logBytes)].map((value) => (value / 1e6).toFixed(1)),
        ...[percentile(tookMs, 0.999), largest(tookMs)].map((value) => value.toFixed(1)),
      ]),
      remark: [
        'The lock is measured at the longest stretch of each hand-off that got it. The log is its file, which never shrinks by itself;',
        `a hand-off is tried from 4 MiB on. Two flushes of the disk are needed under the lock; in this run one of 64 KiB took ${flush.toFixed(1)} ms (median).`,
      ].join('\n'),
      verdicts: watched.flatMap(({ name, held }) => [
        atMost(`write lock held by a hand-off, ${name}: median ≤ 10 ms`, percentile(held, 0.5), 10, ' ms'),
        atMost('… 99th ≤ 50 ms', percentile(held, 0.99), 50, ' ms'),
      ]),
    }
  },
}

async function watch({ workload, everyMs }: Kind, { original, workspace, scale, note }: StudySetting) {
  const name = `${workload}, ${everyMs === 0 ? 'full speed' : `${1000 / everyMs}/s`}`
  note(`Hand-off: ${name}`)
  const database = workspace.path('live.db')
  workspace.copyIn(original, 'live.db')
  workspace.remove('repository', 'state')
  await using writer = await WriterProcess.start({ databases: [database], workload })
  await using followed = await Followed.begin({
    database,
    repository: workspace.path('repository'),
    stateFolder: workspace.path('state'),
  })
  const logBytes: number[] = []
  const sampling = setInterval(() => logBytes.push(logFileBytes(database)), sampleMs)
  const written = await writer.write({ forMs: forMs * scale, everyMs })
  clearInterval(sampling)
  // What was begun while the application wrote; the rest has no writers to contend with.
  const handOffs = followed.handOffs.slice()
  await followed.sync()
  const { committedAt, seconds, tookMs } = written
  const held = handOffs.map(({ lockHeldMs }) => lockHeldMs).filter((ms) => ms > 0)
  return { name, rate: committedAt.length / seconds, handOffs, held, logBytes, tookMs }
}
