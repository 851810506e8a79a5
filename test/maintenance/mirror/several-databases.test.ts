/** What goes wrong with one database is no reason to leave the others behind. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { type ErrorCode, HoldfastError } from '../../../src/errors.ts'
import type { MirrorReport } from '../../../src/maintenance/mirror/mirror-options.ts'
import { mirrorTo } from '../../../src/maintenance/mirror/mirror-to.ts'
import { databaseRecordKey, mirrorKey } from '../../../src/repository/layout.ts'
import { readMirror } from '../../../src/repository/mirror-record.ts'
import { Repository } from '../../../src/repository/repository.ts'
import { MemoryStorage } from '../../../src/storage/memory.ts'
import { day, KeptHistory } from '../support/kept-history.ts'
import { checkMirror, contents, mirrorHistory } from './support/mirrored-history.ts'
import { WatchedStorage } from './support/watched-storage.ts'

/** Databases `app`, whose every state is known, and `zoo`, of which there is only a name. */
async function twoDatabases(): Promise<KeptHistory> {
  const history = await KeptHistory.make(11)
  await history.backup(history.lsn + 1, { type: 'full', segment: await history.base(day) })
  await addDatabase(history, 'zoo')
  return history
}

async function addDatabase({ storage }: KeptHistory, name: string): Promise<void> {
  const record = { name, kind: 'sqlite', location: `/data/${name}.db`, createdAt: new Date(0).toISOString() } as const
  await (await Repository.open(storage)).database(name).putRecord(record)
}

async function mirrorFailing(
  history: KeptHistory,
  mirror: MemoryStorage,
  code: ErrorCode,
  isHit: (key: string) => boolean,
): Promise<MirrorReport> {
  const source = new WatchedStorage(history.storage, {
    onGet: (key) => {
      if (isHit(key)) throw new HoldfastError(code, `Not ${key} now.`, { object: key, hint: 'Wait.' })
    },
  })
  return await mirrorTo(await Repository.open(source), mirror, { now: history.time })
}

const isOfApp = (key: string): boolean => key.startsWith('databases/app/')

describe('a database that cannot be mirrored', () => {
  for (const code of ['STORAGE_TRANSIENT', 'STORAGE_DENIED', 'DISK_FULL'] as const)
    it(`does not keep the others from it, and is named (${code})`, async () => {
      const history = await twoDatabases()
      const mirror = new MemoryStorage()
      const report = await mirrorFailing(history, mirror, code, isOfApp)
      assert.deepEqual([report.complete, report.completeAt, report.databases], [false, undefined, ['app', 'zoo']])
      assert.deepEqual(
        report.failures.map(({ database, code: told, hint }) => ({ database, told, hint })),
        [{ database: 'app', told: code, hint: 'Wait.' }],
      )
      assert.ok(await mirror.head(databaseRecordKey('zoo')))
      assert.equal((await readMirror(mirror))?.completeAt, null)
      const next = await mirrorHistory(history, mirror)
      assert.deepEqual([next.complete, next.failures], [true, []])
      assert.deepEqual(await contents(mirror), await contents(history.storage))
      await checkMirror(history, mirror)
    })

  it('is the error of the run, if it is the only one', async () => {
    const history = await KeptHistory.make(11)
    await history.base()
    const running = mirrorFailing(history, new MemoryStorage(), 'STORAGE_DENIED', isOfApp)
    await assert.rejects(running, { code: 'STORAGE_DENIED', message: /^Not databases\/app/ })
  })

  it('ends the run, if it is all of the repository that is away, or all of the mirror', async () => {
    const history = await twoDatabases()
    for (const name of ['bee', 'cow', 'dog']) await addDatabase(history, name)
    let asked = 0
    let isAway = false
    const running = mirrorFailing(history, new MemoryStorage(), 'STORAGE_TRANSIENT', (key) => {
      isAway ||= isOfApp(key)
      if (isAway && key.startsWith('databases/')) asked += 1
      return isAway
    })
    await assert.rejects(running, { code: 'STORAGE_TRANSIENT' })
    const ofApp = asked
    assert.ok(ofApp <= 2, `${ofApp} objects were asked for of a repository that is away`)
    const mirror = new MemoryStorage()
    const unmounted = mirrorFailing(history, mirror, 'STORAGE_TRANSIENT', (key) => {
      if (isOfApp(key)) void mirror.delete(mirrorKey)
      return isOfApp(key)
    })
    await assert.rejects(unmounted, { code: 'STORAGE_TRANSIENT' })
    assert.equal(await mirror.head(databaseRecordKey('zoo')), undefined)
  })
})
