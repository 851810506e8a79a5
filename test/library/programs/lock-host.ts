/** An application with a SQLite connection of its own, which backs up the same database with the library. */
import { closeSync, existsSync, openSync, readFileSync, statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { BackupManager, sqlite } from '../../../src/index.ts'
import type { HostReport, HostRequest } from './lock-protocol.ts'

const [path = '', repository = '', mode = ''] = process.argv.slice(2)

const own = new DatabaseSync(path)
own.exec(mode.startsWith('wal') ? 'PRAGMA journal_mode = WAL' : 'PRAGMA journal_mode = DELETE')
own.exec('CREATE TABLE IF NOT EXISTS t (a); INSERT INTO t VALUES (1), (2), (3)')
if (mode.endsWith('writer')) own.exec('BEGIN IMMEDIATE; UPDATE t SET a = a + 1')
else {
  own.exec('BEGIN')
  own.prepare('SELECT count(*) FROM t').get()
}

process.on('message', (request: HostRequest) => void answer(request))
report([])

async function answer(request: HostRequest): Promise<void> {
  if (request === 'end') {
    own.close()
    process.disconnect()
  } else if (request === 'backUp') report(await backUp())
  else if (request === 'follow') report(await follow())
  else report(openAndClose())
}

async function backUp(): Promise<number[]> {
  await using backups = await BackupManager.open({ source: sqlite(path), repository, init: true })
  const results = [
    await backups.createFullBackup(),
    await backups.createIncrementalBackup(),
    await backups.createSnapshotBackup({ name: 'before-migration' }),
  ]
  const { ok, findings } = await backups.verify()
  if (!ok) throw new Error(JSON.stringify(findings))
  return results.map(({ metadata }) => metadata.lsn)
}

async function follow(): Promise<number[]> {
  await using backups = await BackupManager.open({ source: sqlite(path), repository, init: true })
  await using live = await backups.follow({ stateFolder: `${path}-state` })
  return [live.start.lsn, await live.sync()]
}

/** What a library must not do: SQLite in this process knows nothing of it, the kernel drops its locks all the same. */
function openAndClose(): number[] {
  for (const file of [path, `${path}-shm`]) if (existsSync(file)) closeSync(openSync(file, 'r'))
  return []
}

function report(backups: number[]): void {
  const report: HostReport = { locks: ownLocks(), backups }
  process.send?.(report)
}

/** Lines of /proc/locks: `1: POSIX  ADVISORY  READ 1234 08:01:131078 1073741826 1073742335`. */
function ownLocks(): string[] {
  const inodes = new Map<string, string>()
  for (const file of [path, `${path}-shm`]) {
    if (existsSync(file)) inodes.set(`${statSync(file).ino}`, file.endsWith('-shm') ? 'shm' : 'db')
  }
  return readFileSync('/proc/locks', 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [, , , kind, pid, place = '', from, to] = line.trim().split(/\s+/)
      const file = inodes.get(place.split(':')[2] ?? '')
      return file === undefined || pid !== `${process.pid}` ? [] : [`${file} ${kind} ${from}-${to}`]
    })
    .sort()
}
