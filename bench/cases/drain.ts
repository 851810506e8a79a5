import { CountingWriter, drainAll, type Opened, openFollower } from '../capture/opened.ts'
import { percentile } from '../capture/percentile.ts'
import type { WorkloadName } from '../capture/workloads.ts'
import { WriterProcess } from '../capture/writer-process.ts'
import type { Study, StudySetting } from '../study.ts'

const backlogCommits = 20_000
const rounds = 3
const receivers = ['taken and proved only', 'into log segments'] as const
type Receiver = (typeof receivers)[number]

interface Drained {
  readonly commits: number
  readonly bytes: number
  readonly seconds: number
  readonly processorSeconds: number
}

/** How fast commits that wait in the log are taken. */
export const drain: Study = {
  id: 'drain',
  title: 'Draining a backlog',
  run: async (setting) => {
    const runs = new Map<string, { workload: WorkloadName; receiver: Receiver; drains: Drained[] }>()
    for (let round = 1; round <= rounds; round++) {
      for (const workload of ['row updates', 'mixed', 'bulk load'] as const) {
        for (const receiver of receivers) {
          setting.note(`Drain, round ${round}: ${workload}, ${receiver}`)
          const run = runs.get(`${workload} ${receiver}`) ?? { workload, receiver, drains: [] }
          run.drains.push(await drainOf(workload, receiver, setting))
          runs.set(`${workload} ${receiver}`, run)
        }
      }
    }
    return {
      head: ['', 'WAL MB', 'best MB/s', 'median MB/s', 'MB a CPU second', 'CPU µs a commit'],
      rows: [...runs.values()].map(({ workload, receiver, drains }) => {
        const speeds = drains.map(({ bytes, seconds }) => bytes / 1e6 / seconds)
        const efficiencies = drains.map(({ bytes, processorSeconds }) => bytes / 1e6 / processorSeconds)
        const costs = drains.map(({ commits, processorSeconds }) => (1e6 * processorSeconds) / commits)
        return [
          `${workload}, ${receiver}`,
          ((drains[0]?.bytes ?? 0) / 1e6).toFixed(0),
          percentile(speeds, 1).toFixed(0),
          percentile(speeds, 0.5).toFixed(0),
          percentile(efficiencies, 1).toFixed(0),
          percentile(costs, 0).toFixed(0),
        ]
      }),
      remark: `Best of ${rounds} rounds, unless it says otherwise. CPU of all threads, compression too.`,
      verdicts: [],
    }
  },
}

async function drainOf(workload: WorkloadName, receiver: Receiver, setting: StudySetting): Promise<Drained> {
  const { original, workspace, scale } = setting
  const path = workspace.path('drain.db')
  workspace.copyIn(original, 'drain.db')
  await using writer = await WriterProcess.start({ databases: [path], workload, autoCheckpoint: 0 })
  await using opened = await openFollower(path)
  await writer.write({ commits: workload === 'bulk load' ? Math.ceil(10 * scale) : Math.ceil(backlogCommits * scale) })
  return await timed(opened, receiver, workspace.path('segments'))
}

async function timed(opened: Opened, receiver: Receiver, folder: string): Promise<Drained> {
  const writer = new CountingWriter(opened, folder)
  const nothing = { pages: () => {}, commit: () => {} }
  const [begun, cpu] = [performance.now(), process.cpuUsage()]
  const taken = await drainAll(opened.follower, receiver === 'into log segments' ? writer : nothing)
  await writer.close()
  const { user, system } = process.cpuUsage(cpu)
  return { ...taken, seconds: (performance.now() - begun) / 1000, processorSeconds: (user + system) / 1e6 }
}
