/**
 * A database that is followed while it grows over its first GiB, where SQLite leaves out a page (the lock page, file format
 * section 1.4), shrinks back below it and grows again.
 */
import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { Repository } from '../../../src/repository/repository.ts'
import { restoreDatabase } from '../../../src/restore/restore-database.ts'
import { openStorage } from '../../../src/storage/open-storage.ts'
import { lockPage } from '../../../src/util/lock-page.ts'
import { SqlProcess } from '../../support/sql-process.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { FollowProcess } from './follow-process.ts'

/** The largest pages make the lock page's neighbourhood cheap to reach; what fills the file is zeros, which compress to nothing. */
const pageSize = 65_536
const lock = lockPage(pageSize)
const mebibyte = 1024 * 1024

interface Step {
  readonly lsn: number
  readonly pageCount: number
  readonly marks: number
}

export interface LargeTally {
  readonly commits: number
  readonly restores: number
  readonly pages: number
  /** The most memory that the follower had, in MiB; undefined where the system does not tell. */
  readonly followerMebibytes: number | undefined
}

/** @param restoreAll restores every kind of state; otherwise only the two on either side of the first growth over the lock page */
export async function followOverLockPage({ restoreAll = false } = {}): Promise<LargeTally> {
  using folder = temporaryFolder()
  const path = folder.file('app.db')
  fill(path)
  await using repository = await Repository.init(await openStorage(folder.file('repository')))
  const follower = new FollowProcess(folder.file('compiled'))
  await using _ = follower
  follower.follow({
    path,
    repository: folder.file('repository'),
    stateFolder: folder.file('state'),
    pace: { syncIntervalMs: 200, handOff: { logBytes: 4 * mebibyte, ageMs: 60_000 }, auditIntervalMs: 0 },
  })
  await follower.started
  await using application = await SqlProcess.open(path)
  const step = async (...statements: readonly string[]): Promise<Step> => {
    await application.query(...statements)
    const [facts] = await application.query('SELECT count(*) AS marks, page_count FROM marks, pragma_page_count')
    const pageCount = Number(facts?.['page_count'])
    return { lsn: await follower.sync(), pageCount, marks: Number(facts?.['marks']) }
  }
  const grow = (bytes: number) => step(`INSERT INTO marks (body) VALUES (zeroblob(${bytes}))`)

  const steps: Step[] = [await grow(1)]
  while (newest(steps).pageCount < lock + 3) steps.push(await grow(pageSize - 100))
  const before = steps.findLast(({ pageCount }) => pageCount < lock) ?? assert.fail('it was over the lock page already')
  const after = steps.find(({ pageCount }) => pageCount > lock) ?? assert.fail('it never grew over the lock page')
  steps.push(await grow(8 * mebibyte))
  const shrunk = await step('DELETE FROM marks WHERE id > 5', 'PRAGMA incremental_vacuum')
  assert.ok(shrunk.pageCount < lock, `it shrank to ${shrunk.pageCount} pages`)
  const regrown = await grow(8 * mebibyte)
  assert.ok(regrown.pageCount > lock)

  assert.deepEqual(
    follower.events.filter(({ kind }) => kind === 'gap' || kind === 'spool-full' || kind === 'retrying'),
    [],
  )
  const followerMebibytes = follower.peakMebibytes
  await follower.stop()
  const wanted = restoreAll ? [before, after, shrunk, regrown] : [before, after]
  for (const { lsn, pageCount, marks } of wanted) {
    const target = folder.file('restored.db')
    await restoreDatabase(repository.database('app'), { state: { by: 'lsn', lsn }, targetPath: target, force: true })
    using restored = new DatabaseSync(target, { readOnly: true })
    const facts = restored.prepare('SELECT count(*) AS marks, page_count FROM marks, pragma_page_count').get()
    assert.deepEqual({ ...facts }, { marks, page_count: pageCount }, `LSN ${lsn}`)
  }
  return { commits: regrown.lsn, restores: wanted.length, pages: regrown.pageCount, followerMebibytes }
}

/** Leaves it some pages short of the lock page. */
function fill(path: string): void {
  using database = new DatabaseSync(path)
  database.exec(`
    PRAGMA page_size = ${pageSize}; PRAGMA auto_vacuum = incremental; PRAGMA journal_mode = off; PRAGMA synchronous = off;
    CREATE TABLE marks (id INTEGER PRIMARY KEY, body BLOB);
    CREATE TABLE filling (body BLOB);
  `)
  const pages = () => Number(database.prepare('PRAGMA page_count').get()?.['page_count'])
  const insert = database.prepare('INSERT INTO filling VALUES (zeroblob(?))')
  for (const bytes of [128 * mebibyte, 8 * mebibyte, mebibyte])
    while (pages() + bytes / pageSize + 24 < lock) insert.run(bytes)
  database.exec('PRAGMA journal_mode = wal')
}

function newest(steps: readonly Step[]): Step {
  return steps.at(-1) ?? assert.fail('no step')
}
