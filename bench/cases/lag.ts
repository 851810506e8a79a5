import { Followed } from '../capture/followed.ts'
import { largest, percentile } from '../capture/percentile.ts'
import { WriterProcess } from '../capture/writer-process.ts'
import type { Study, StudySetting } from '../study.ts'

const forMs = 10_000

interface Kind {
  readonly syncIntervalMs: number
  /** 0: at full speed. */
  readonly everyMs: number
}

const kinds: readonly Kind[] = [
  { syncIntervalMs: 1000, everyMs: 10 },
  { syncIntervalMs: 1000, everyMs: 1 },
  { syncIntervalMs: 1000, everyMs: 0 },
  { syncIntervalMs: 100, everyMs: 1 },
]

/** From an application's commit to the moment when another process hears that it is in the repository. */
export const lag: Study = {
  id: 'lag',
  title: 'From commit to durable in the repository, mixed load',
  run: async (setting) => {
    const measured = []
    for (const kind of kinds) measured.push({ ...kind, ...(await lagOf(kind, setting)) })
    return {
      head: ['', 'commits/s', 'segments', 'p50 ms', 'p99', 'max', 'p99 / syncInterval'],
      rows: measured.map(({ syncIntervalMs, everyMs, rate, segments, lags }) => [
        `syncInterval ${syncIntervalMs} ms, ${everyMs === 0 ? 'full speed' : `${1000 / everyMs}/s`}`,
        rate.toFixed(0),
        String(segments),
        ...[percentile(lags, 0.5), percentile(lags, 0.99), largest(lags)].map((value) => value.toFixed(0)),
        (percentile(lags, 0.99) / syncIntervalMs).toFixed(2),
      ]),
      remark:
        'Local repository. Commits are gathered for a syncInterval, so half of it is the least that the median can be.',
      verdicts: [],
    }
  },
}

async function lagOf({ syncIntervalMs, everyMs }: Kind, { original, workspace, scale, note }: StudySetting) {
  note(`Lag: syncInterval ${syncIntervalMs} ms, a commit every ${everyMs} ms`)
  const database = workspace.path('live.db')
  workspace.copyIn(original, 'live.db')
  workspace.remove('repository', 'state')
  await using writer = await WriterProcess.start({ databases: [database], workload: 'mixed' })
  await using followed = await Followed.begin({
    database,
    repository: workspace.path('repository'),
    stateFolder: workspace.path('state'),
    syncIntervalMs,
  })
  const before = await followed.sync()
  const { committedAt, seconds } = await writer.write({ forMs: forMs * scale, everyMs })
  const after = await followed.sync()
  if (after - before !== committedAt.length) {
    throw new Error(`${committedAt.length} commits were made, and ${after - before} followed.`)
  }
  const uploads = followed.uploads.filter(({ lsn }) => lsn > before)
  let next = 0
  const lags = committedAt.map((at, index) => {
    while ((uploads[next]?.lsn ?? Number.POSITIVE_INFINITY) < before + 1 + index) next++
    return (uploads[next]?.at ?? Number.NaN) - at
  })
  return { rate: committedAt.length / seconds, segments: uploads.length, lags }
}
