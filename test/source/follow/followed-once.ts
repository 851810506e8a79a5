import { sqlite } from '../../../src/source/sqlite/sqlite-source.ts'
import { SqlProcess } from '../../support/sql-process.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { drainAll, FollowedCopy, type Kept, keep } from './followed-copy.ts'

export const changeAll = 'UPDATE t SET x = hex(randomblob(250))'
export const changeOne = 'UPDATE t SET x = hex(randomblob(250)) WHERE id = 7'
/** Both together come to nothing: the second gives what was there before the first. Two pages each. */
export const toggle = [
  "UPDATE t SET x = 'on' || substr(x, 3) WHERE id IN (9, 200)",
  "UPDATE t SET x = 'of' || substr(x, 3) WHERE id IN (9, 200)",
] as const
/** What does not fit into the cache is written to the log before the transaction ends. */
export const rollBack = [
  'PRAGMA cache_size = 2',
  'BEGIN',
  'UPDATE t SET x = hex(randomblob(250)) WHERE id < 100',
  'ROLLBACK',
]
export const copyAll = 'PRAGMA wal_checkpoint(PASSIVE)'

export const prepare = [
  'PRAGMA journal_mode = wal',
  'PRAGMA wal_autocheckpoint = 0',
  'CREATE TABLE t (id INTEGER PRIMARY KEY, x)',
  `WITH RECURSIVE c (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 300)
    INSERT INTO t (x) SELECT hex(randomblob(250)) FROM c`,
]

export interface Scene extends AsyncDisposable {
  readonly path: string
  readonly application: SqlProcess
  readonly copy: FollowedCopy
  readonly kept: Kept
}

/** An application with a log of some length, and a follower that took all of it, and then ended. */
export async function followedOnce(): Promise<Scene> {
  const folder = temporaryFolder()
  const path = folder.file('app.db')
  const application = await SqlProcess.open(path)
  await application.query(...prepare, copyAll)
  await using follower = await sqlite(path).openFollower()
  const copy = await FollowedCopy.begin(follower)
  await application.query(changeAll, toggle[1])
  await drainAll(follower, copy)
  const kept = keep(follower, copy)
  const dispose = async () => {
    await application[Symbol.asyncDispose]()
    folder[Symbol.dispose]()
  }
  return { path, application, copy, kept, [Symbol.asyncDispose]: dispose }
}
