/**
 * The program of an application: writes to one of its databases for as long as it is told, as fast as it can or at a rate.
 * See writer-process.ts, which starts it; its argument is a JSON of `WriterOptions`.
 */
import { DatabaseSync } from 'node:sqlite'
import { openWorkload } from './workloads.ts'
import type { WriterOptions, Writing, Written } from './writer-process.ts'

const options: WriterOptions = JSON.parse(process.argv[2] ?? '')
const connections = options.databases.map((path) => {
  const database = new DatabaseSync(path, { timeout: 30_000 })
  database.exec(`PRAGMA synchronous = ${options.synchronous}; PRAGMA wal_autocheckpoint = ${options.autoCheckpoint}`)
  return { database, transact: openWorkload(database, options.workload, options.seed) }
})
const bell = new Int32Array(new SharedArrayBuffer(4))

process.on('message', (writing: Writing) => process.send?.(write(writing)))
process.on('disconnect', () => {
  for (const { database } of connections) database.close()
})
process.send?.('ready')

function write({ database, forMs, commits, everyMs }: Writing): Written {
  const connection = connections[database]
  if (connection === undefined) throw new RangeError(`There is no database ${database}.`)
  const { transact } = connection
  const [begun, cpu] = [performance.now(), process.cpuUsage()]
  const committedAt: number[] = []
  const tookMs: number[] = []
  for (let now = begun; committedAt.length < commits && now - begun < forMs; ) {
    const started = performance.now()
    transact()
    now = performance.now()
    committedAt.push(performance.timeOrigin + now)
    tookMs.push(now - started)
    const due = begun + committedAt.length * everyMs
    if (due > now) Atomics.wait(bell, 0, 0, due - now)
  }
  const seconds = (performance.now() - begun) / 1000
  const { user, system } = process.cpuUsage(cpu)
  return { seconds, processorSeconds: (user + system) / 1e6, committedAt, tookMs }
}
