import { Followed } from '../capture/followed.ts'
import { largest, percentile } from '../capture/percentile.ts'
import type { WorkloadName } from '../capture/workloads.ts'
import { WriterProcess, type Written } from '../capture/writer-process.ts'
import { atMost, type Study, type StudySetting } from '../study.ts'

const slices = 12
const sliceMs = 1000

interface Kind {
  readonly workload: WorkloadName
  readonly synchronous: 'normal' | 'full'
}

const kinds: readonly Kind[] = [
  { workload: 'row updates', synchronous: 'normal' },
  { workload: 'row updates', synchronous: 'full' },
  { workload: 'mixed', synchronous: 'normal' },
  { workload: 'mixed', synchronous: 'full' },
]

/**
 * One application writes in turn to two databases that are alike, of which one is followed. Between two slices it waits until
 * the follower has caught up, so that this falls into no slice; the processor time that it takes is a column of its own.
 */
export const overhead: Study = {
  id: 'overhead',
  title: 'An application at full speed, alone and followed',
  run: async (setting) => {
    const compared = []
    for (const kind of kinds) compared.push({ ...kind, ...(await compare(kind, setting)) })
    return {
      head: [
        ...['', 'alone commits/s', 'followed commits/s', 'lost (quartiles)', 'alone CPU µs a commit', 'followed'],
        ...['follower', 'alone p99.9 ms', 'followed', 'alone slowest ms', 'followed'],
      ],
      rows: compared.map(({ workload, synchronous, alone, followed, lost, followerSeconds }) => [
        `${workload}, synchronous=${synchronous.toUpperCase()}`,
        perSecond(alone).toFixed(0),
        perSecond(followed).toFixed(0),
        `${percent(percentile(lost, 0.5))} (${percent(percentile(lost, 0.25))} … ${percent(percentile(lost, 0.75))})`,
        cost(alone).toFixed(0),
        cost(followed).toFixed(0),
        ((1e6 * followerSeconds) / commitsOf(followed)).toFixed(0),
        ...[0.999, 1].flatMap((part) => [slow(alone, part), slow(followed, part)]),
      ]),
      remark: [
        `${compared[0]?.alone.length ?? 0} slices of ${sliceMs / 1000} s each, alone and followed in turn. "lost" is the median over the pairs of slices of`,
        'the part of its commits that the application loses; negative: it is faster when followed. All on the same cores.',
      ].join('\n'),
      verdicts: compared.map(({ workload, synchronous, lost }) =>
        atMost(
          `overhead on a writer at full speed, ${workload}, ${synchronous.toUpperCase()} ≤ 5 %`,
          100 * percentile(lost, 0.5),
          5,
          ' %',
        ),
      ),
    }
  },
}

async function compare({ workload, synchronous }: Kind, { original, workspace, scale, note }: StudySetting) {
  note(`Overhead: ${workload}, synchronous=${synchronous}`)
  const databases = ['alone.db', 'followed.db'].map((name) => {
    workspace.copyIn(original, name)
    return workspace.path(name)
  })
  workspace.remove('repository', 'state')
  await using writer = await WriterProcess.start({ databases, workload, synchronous })
  await using followed = await Followed.begin({
    database: workspace.path('followed.db'),
    repository: workspace.path('repository'),
    stateFolder: workspace.path('state'),
  })
  const slice = async (database: number): Promise<Written> => {
    const written = await writer.write({ database, forMs: sliceMs })
    await followed.sync()
    return written
  }
  // Both logs come to their usual length.
  for (const database of [0, 1]) await slice(database)
  const before = followed.processorSeconds
  const written: [Written[], Written[]] = [[], []]
  for (let pair = 0; pair < Math.ceil(slices * scale); pair++) {
    const order = pair % 2 === 0 ? [0, 1] : [1, 0]
    for (const database of order) written[database === 0 ? 0 : 1].push(await slice(database))
  }
  const [alone, withFollower] = written
  const lost = alone.map((slice, at) => {
    const other = withFollower[at]
    return other === undefined ? Number.NaN : 1 - rate(other) / rate(slice)
  })
  return { alone, followed: withFollower, lost, followerSeconds: followed.processorSeconds - before }
}

function rate({ committedAt, seconds }: Written): number {
  return committedAt.length / seconds
}

function commitsOf(slices: readonly Written[]): number {
  return slices.reduce((sum, { committedAt }) => sum + committedAt.length, 0)
}

function perSecond(slices: readonly Written[]): number {
  return commitsOf(slices) / slices.reduce((sum, { seconds }) => sum + seconds, 0)
}

function cost(slices: readonly Written[]): number {
  return (1e6 * slices.reduce((sum, { processorSeconds }) => sum + processorSeconds, 0)) / commitsOf(slices)
}

function slow(slices: readonly Written[], part: number): string {
  const all = slices.flatMap(({ tookMs }) => tookMs)
  return (part === 1 ? largest(all) : percentile(all, part)).toFixed(1)
}

function percent(part: number): string {
  return `${(100 * part).toFixed(1)} %`
}
