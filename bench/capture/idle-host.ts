/** A program that follows many databases in one process, and tells what that costs while nothing happens. */
import { mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Capture } from '../../src/capture/capture.ts'
import { followDatabase } from '../../src/capture/follow-database.ts'
import { Repository } from '../../src/repository/repository.ts'
import { sqlite } from '../../src/source/sqlite/sqlite-source.ts'
import { LocalStorage } from '../../src/storage/local.ts'
import { countRequests } from './count-requests.ts'
import { makeSmallDatabase } from './small-database.ts'

export interface IdleRequest {
  readonly folder: string
  readonly count: number
  readonly forMs: number
}

export interface Idle {
  readonly count: number
  readonly startSeconds: number
  readonly seconds: number
  readonly processorSeconds: number
  readonly residentBytes: number
  readonly openFiles: number
  readonly requests: number
}

const settleMs = 5_000

const { folder, count, forMs }: IdleRequest = JSON.parse(process.argv[2] ?? '')
mkdirSync(folder, { recursive: true })
const { storage, requests } = countRequests(new LocalStorage(join(folder, 'repository')))
await Repository.init(storage)
const repository = await Repository.open(storage)
const begun = performance.now()
const captures: Capture[] = []
for (let number = 0; number < count; number++) {
  const path = join(folder, `${number}.db`)
  makeSmallDatabase(path)
  captures.push(await followDatabase(sqlite(path), repository, { stateFolder: join(folder, 'state', String(number)) }))
}
const startSeconds = (performance.now() - begun) / 1000
await sleep(settleMs)
const [started, cpu, requestsBefore] = [performance.now(), process.cpuUsage(), requests()]
await sleep(forMs)
const { user, system } = process.cpuUsage(cpu)
const found: Idle = {
  count,
  startSeconds,
  seconds: (performance.now() - started) / 1000,
  processorSeconds: (user + system) / 1e6,
  residentBytes: process.memoryUsage().rss,
  openFiles: process.platform === 'linux' ? readdirSync('/proc/self/fd').length : Number.NaN,
  requests: requests() - requestsBefore,
}
process.on('disconnect', () => void stop())
process.send?.(found)

async function stop(): Promise<void> {
  await Promise.all(captures.map((capture) => capture.stop({ waitMs: 0 })))
  process.exit()
}
