import { setTimeout as sleep } from 'node:timers/promises'
import { AgentPlace } from '../capture/agent-program.ts'
import { countFileRequests } from '../capture/file-requests.ts'
import { percentile } from '../capture/percentile.ts'
import { canMeasureProcesses, costOf, processTree } from '../capture/process-cost.ts'
import { restVerdicts, targetDatabases } from '../capture/rest-targets.ts'
import { figure, type Study } from '../study.ts'

const settleMs = 15_000
/** Two rounds of the agent, which looks at everything every 30 s. */
const forMs = 60_000
const requestsForMs = 35_000
const commits = 5

/** What the agent costs that follows many databases, to which nobody writes. */
export const agent: Study = {
  id: 'agent',
  title: 'The agent, with many databases at rest',
  run: async ({ workspace, scale, note }) => {
    if (!canMeasureProcesses) throw new Error('What processes cost is only told by Linux.')
    const count = Math.ceil(targetDatabases * scale)
    note(`The agent: makes ${count} databases`)
    workspace.remove('agent')
    const place = new AgentPlace(workspace.path('agent'), count)
    note(`The agent: begins to follow ${count} databases`)
    const first = await place.start()
    const stopSeconds = await first.stop()
    note(`The agent: goes on with ${count} databases`)
    const running = await place.start()
    try {
      await sleep(settleMs)
      note(`The agent: ${count} databases at rest`)
      const pids = processTree(running.pid)
      const [before, begun] = [costOf(pids), performance.now()]
      await sleep(forMs)
      const [after, seconds] = [costOf(pids), (performance.now() - begun) / 1000]
      const report = workspace.path('strace')
      const requests = await countFileRequests(pids, { folder: place.repository, report, forMs: requestsForMs })
      const latencies: number[] = []
      for (let each = 0; each < commits; each++)
        latencies.push(await place.commitUntilDurable(Math.floor((each * count) / commits)))
      const percent = (100 * (after.processorSeconds - before.processorSeconds)) / seconds
      const [proportional, resident] = [after.proportionalBytes / 1e6, after.residentBytes / 1e6]
      return {
        head: ['', ''],
        rows: [
          ['databases', String(count)],
          ['processes', String(pids.length)],
          ['first start, s', first.startSeconds.toFixed(1)],
          ['stop, s', stopSeconds.toFixed(1)],
          ['start again, s', running.startSeconds.toFixed(1)],
          ['CPU at rest, % of a core', percent.toFixed(2)],
          ['memory (PSS), MB', proportional.toFixed(0)],
          ['resident (RSS), MB', resident.toFixed(0)],
          ['open files', String(after.openFiles)],
          ['wake-ups a second', ((after.wakeUps - before.wakeUps) / seconds).toFixed(1)],
          [`system calls on the repository in ${requestsForMs / 1000} s`, figure(requests, 0)],
          ['commit to durable, median ms', percentile(latencies, 0.5).toFixed(0)],
        ],
        remark: [
          `Watched for ${forMs / 1000} s, after all had begun and settled; sums over the agent and its workers. PSS counts a page that processes`,
          'share once, RSS once a process. System calls are counted by strace, afterwards; without it, they are not. A commit waits for',
          'the syncInterval, 1 s. The first start stores every database, the second goes on where the first stopped. Not seen in so short a',
          'time: the lease of each database is renewed every 20 minutes.',
        ].join('\n'),
        verdicts: restVerdicts('an agent with ', {
          databases: count,
          percent,
          memory: [proportional, ' MB (PSS)'],
          requests: [requests, ' system calls'],
        }),
      }
    } finally {
      await running.stop()
    }
  },
}
