/**
 * A process that commits random transactions to an oracle database as fast as it can; see `writer-process.ts` for how to
 * start, pause and stop it. Its argument is a JSON of {@link LoadOptions}.
 */
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'
import type { LoadOptions } from './load-options.ts'
import { LoadTransaction } from './load-transaction.ts'
import { CommitNotes } from './noted-commits.ts'
import { readOracle } from './oracle.ts'
import { seededRandom } from './random.ts'

const options: LoadOptions = JSON.parse(process.argv[2] ?? '{}')
const random = seededRandom(options.seed)
const notes = options.notes === undefined ? undefined : new CommitNotes(options.notes)
let database = connect()
let stopped = false
process.on('message', () => {
  stopped = true
})
process.on('disconnect', () => process.exit(0))

function connect(): DatabaseSync {
  const connection = new DatabaseSync(options.path, { timeout: 10_000, enableForeignKeyConstraints: true })
  // A small cache makes large transactions spill uncommitted pages into the log or the file.
  connection.exec(`PRAGMA cache_size = 20; PRAGMA synchronous = ${options.synchronous ?? 'off'}`)
  connection.exec(
    `PRAGMA wal_autocheckpoint = ${options.autoCheckpoint ?? random.pick([0, 20, 1000])}; PRAGMA busy_timeout = 10`,
  )
  return connection
}

/** Locked out means: another writer is at work, or a rollback-journal database is being copied. */
function unlessBusy(work: () => void): boolean {
  try {
    work()
    return true
  } catch (thrown) {
    if (database.isTransaction) database.exec('ROLLBACK')
    if (thrown instanceof Error && 'errcode' in thrown && [5, 6].includes(Number(thrown.errcode) & 0xff)) return false
    throw thrown
  }
}

function transact(): void {
  unlessBusy(() => {
    database.exec('BEGIN IMMEDIATE')
    const transaction = new LoadTransaction(database, random, options)
    transaction.run()
    if (random.chance(10)) {
      database.exec('ROLLBACK')
      return
    }
    const stamp = transaction.record()
    notes?.begin(stamp)
    database.exec('COMMIT')
    notes?.end(stamp)
  })
}

function maintain(): void {
  const wal = random.pick(['PASSIVE', 'FULL', 'RESTART', 'TRUNCATE'])
  const work = random.below(100)
  if (work < 40) unlessBusy(() => database.exec(`PRAGMA wal_checkpoint(${wal})`))
  else if (work < 55) unlessBusy(() => database.exec('VACUUM'))
  else if (work < 75) unlessBusy(() => database.exec(`PRAGMA incremental_vacuum(${random.below(20)})`))
  else {
    database.close()
    database = connect()
  }
}

process.send?.({ ready: true })
for (let round = 0; !stopped && round < (options.rounds ?? Number.POSITIVE_INFINITY); round++) {
  if (random.chance(options.maintenancePercent ?? 6)) maintain()
  else transact()
  // Lets messages in; a pause here and there also lets rollback-journal readers in.
  if (options.pauseMs === undefined) await new Promise((resolve) => setImmediate(resolve))
  else await delay(options.pauseMs)
}
database.exec('PRAGMA busy_timeout = 10000')
const { seq } = readOracle(database)
database.close()
process.send?.({ seq }, () => process.disconnect())
