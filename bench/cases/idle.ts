import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { Idle, IdleRequest } from '../capture/idle-host.ts'
import { restVerdicts } from '../capture/rest-targets.ts'
import type { Study } from '../study.ts'

/** Beginning to follow takes the most time by far: with `--scale 5` it is the thousand of the target. */
const databases = 200
const forMs = 30_000

/** What databases cost that are followed, and to which nobody writes. */
export const idle: Study = {
  id: 'idle',
  title: 'Followed databases at rest, all in one process',
  run: async ({ workspace, scale, note }) => {
    const found: Idle[] = []
    for (const count of [0, Math.ceil((databases / 4) * scale), Math.ceil(databases * scale)]) {
      note(`At rest: ${count} databases`)
      workspace.remove('rest')
      found.push(await measure({ folder: workspace.path('rest'), count, forMs }))
    }
    const [none, most] = [found[0], found.at(-1)]
    const percentOf = ({ processorSeconds, seconds }: Idle) => (100 * processorSeconds) / seconds
    return {
      head: ['databases', 'CPU %', 'resident MB', 'open files', 'requests', 'seconds to start'],
      rows: found.map((rest) => [
        String(rest.count),
        percentOf(rest).toFixed(2),
        (rest.residentBytes / 1e6).toFixed(0),
        String(rest.openFiles),
        String(rest.requests),
        rest.startSeconds.toFixed(1),
      ]),
      remark: [
        `Watched for ${forMs / 1000} s, after all had begun and settled. CPU in percent of one core; requests to the storage.`,
        none && most ? perDatabase(none, most) : '',
      ].join('\n'),
      verdicts:
        most === undefined
          ? []
          : restVerdicts('', {
              databases: most.count,
              percent: percentOf(most),
              memory: [most.residentBytes / 1e6, ' MB'],
              requests: [most.requests, ' requests'],
            }),
    }
  },
}

function perDatabase(none: Idle, most: Idle): string {
  const cpu = (100 * (most.processorSeconds - none.processorSeconds)) / most.seconds / most.count
  const bytes = (most.residentBytes - none.residentBytes) / most.count
  const files = (most.openFiles - none.openFiles) / most.count
  return `Each database: ${cpu.toFixed(4)} % of a core, ${(bytes / 1e6).toFixed(2)} MB, ${files.toFixed(1)} open files.`
}

async function measure(request: IdleRequest): Promise<Idle> {
  const host = fork(new URL('../capture/idle-host.ts', import.meta.url), [JSON.stringify(request)])
  const ended = new AbortController()
  host.once('exit', (code) => ended.abort(new Error(`The process that follows ended with ${code}.`)))
  const [found] = await once(host, 'message', { signal: ended.signal })
  host.disconnect()
  await once(host, 'exit')
  return found
}
