import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { describe, it } from 'node:test'
import { hasCode, openStorage, PointInTimeRecovery, type RecoveryStatus, RestoreError } from '../../src/index.ts'
import { Repository } from '../../src/repository/repository.ts'
import { SqliteLogHistory } from '../support/sqlite-log-history.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const schema = `
  CREATE TABLE accounts (id INTEGER PRIMARY KEY, owner TEXT, balance INTEGER);
  INSERT INTO accounts VALUES (1, 'Ada', 100), (2, 'Grace', 200)`
const pay = 'UPDATE accounts SET balance = balance + 10'

/** A followed database with ten payments, then a bad DELETE, then one more commit. */
async function story() {
  const folder = temporaryFolder()
  const place = folder.file('backups')
  const repository = await Repository.init(await openStorage(place))
  const history = await SqliteLogHistory.create(repository, folder.file('app.db'), schema)
  const payments = [
    ...(await history.commit(pay, pay, pay, pay)),
    ...(await history.commit(pay, pay, pay, pay, pay, pay)),
  ]
  const [badDelete = assert.fail(), after = assert.fail()] = await history.commit(
    'DELETE FROM accounts',
    "INSERT INTO accounts VALUES (3, 'Edsger', 5)",
  )
  const pitr = await PointInTimeRecovery.open({ repository: place, database: 'app' })
  return {
    folder,
    history,
    payments,
    badDelete,
    after,
    pitr,
    async [Symbol.asyncDispose]() {
      await pitr.close()
      await repository.storage.close()
      folder[Symbol.dispose]()
    },
  }
}

function balances(path: string): unknown[] {
  using database = new DatabaseSync(path, { readOnly: true })
  return database
    .prepare('SELECT balance FROM accounts ORDER BY id')
    .all()
    .map(({ balance }) => balance)
}

describe('point-in-time recovery', () => {
  it('brings back the state right before the commit that spoilt it, by its time, and says what it did', async () => {
    await using told = await story()
    const { pitr, folder, badDelete, payments } = told
    const targetPath = folder.file('recovered.db')
    const result = await pitr.recoverToTimestamp(badDelete.time, { before: true, targetPath })
    assert.deepEqual(balances(targetPath), [200, 300])
    const last = payments.at(-1)
    assert.deepEqual(result.recoveredTo, { lsn: last?.lsn, time: last?.time, backup: undefined })
    assert.equal(result.commitsReplayed, 10)
    assert.equal(result.proof.validation.ok, true)
    assert.equal(result.mode, 'create')
  })

  it('recovers to a moment between two commits, however it is written, and to an LSN', async () => {
    await using told = await story()
    const { pitr, folder, payments } = told
    const third = payments[2] ?? assert.fail()
    const moment = third.time + 500
    const ways = [moment, new Date(moment), new Date(moment).toISOString()]
    for (const [i, way] of ways.entries()) {
      const targetPath = folder.file(`by-time-${i}.db`)
      const { recoveredTo } = await pitr.recoverToTimestamp(way, { targetPath })
      assert.equal(recoveredTo.lsn, third.lsn)
      assert.deepEqual(balances(targetPath), [130, 230])
    }
    await pitr.recoverToLsn(third.lsn, { targetPath: folder.file('at.db') })
    await pitr.recoverToLsn(third.lsn, { before: true, targetPath: folder.file('before.db') })
    assert.deepEqual(
      [balances(folder.file('at.db')), balances(folder.file('before.db'))],
      [
        [130, 230],
        [120, 220],
      ],
    )
  })

  it('refuses what is no moment, or one whose zone is not said', async () => {
    await using told = await story()
    const { pitr, folder } = told
    for (const moment of ['yesterday', '2026-03-01T12:00:00', '2026-03-01', Number.NaN, new Date('?'), 1e18]) {
      const attempt = pitr.recoverToTimestamp(moment, { targetPath: folder.file('out.db') })
      await assert.rejects(attempt, (error) => hasCode(error, 'USAGE') && error.hint?.includes('ISO 8601') === true)
    }
  })

  it('refuses a moment inside a gap, and names the states on both sides', async () => {
    await using told = await story()
    const { pitr, history, folder, after } = told
    const healed = await history.lose('the follower was not running', pay)
    const attempt = pitr.recoverToTimestamp(after.time + 1000, { targetPath: folder.file('out.db') })
    await assert.rejects(attempt, (error) => {
      assert.ok(error instanceof RestoreError)
      assert.equal(error.code, 'NOT_RESTORABLE')
      for (const { lsn } of [after, healed]) assert.match(error.message, new RegExp(`LSN ${lsn} of 20`))
      assert.match(error.message, /Nothing had been written; the target is as it was/)
      return true
    })
    const before = { before: true, targetPath: folder.file('before.db') }
    const { warnings, recoveredTo } = await pitr.recoverToTimestamp(after.time + 1000, before)
    assert.equal(recoveredTo.lsn, after.lsn)
    assert.match(warnings.join(), /is not known\. LSN \d+ is the newest state/)
    const { windows, gaps, points } = await pitr.listRecoveryPoints()
    assert.deepEqual(
      windows.map(({ kind, fromLsn, toLsn }) => [kind, fromLsn, toLsn]),
      [
        ['continuous', 1, after.lsn],
        ['point', healed.lsn, healed.lsn],
      ],
    )
    assert.deepEqual(gaps, [
      {
        fromLsn: after.lsn,
        toLsn: healed.lsn,
        fromTime: after.time,
        toTime: healed.time,
        reason: 'the follower was not running',
      },
    ])
    assert.deepEqual(
      points.map(({ lsn, backups }) => [lsn, backups.length]),
      [
        [1, 1],
        [healed.lsn, 0],
      ],
    )
    const inside = await pitr.listRecoveryPoints(after.time + 1000, new Date(after.time + 2000))
    assert.deepEqual([inside.windows, inside.gaps, inside.points], [[], gaps, []])
  })

  it('says before what a recovery takes', async () => {
    await using told = await story()
    const { pitr, badDelete } = told
    const estimate = await pitr.estimateRecovery({ time: badDelete.time, before: true })
    assert.equal(estimate.commitsToReplay, 10)
    assert.equal(estimate.bytesToWrite % 4096, 0)
    assert.ok(estimate.durationMs > 0 && estimate.bytesToFetch > 0)
    assert.equal((await pitr.estimateRecovery({ lsn: 1 })).commitsToReplay, 0)
    assert.equal((await pitr.estimateRecovery(badDelete.time)).commitsToReplay, 11)
    assert.equal((await pitr.estimateRecovery('now')).commitsToReplay, 12, 'the newest state that is kept')
  })

  it('tells where a recovery stands, phase by phase, and what came of it', async () => {
    await using told = await story()
    const { pitr, folder, badDelete } = told
    assert.deepEqual(pitr.getRecoveryStatus(), { phase: 'idle' })
    const seen: RecoveryStatus[] = []
    const targetPath = folder.file('out.db')
    const result = await pitr.recoverToLsn(badDelete.lsn, {
      before: true,
      targetPath,
      onProgress: () => seen.push(pitr.getRecoveryStatus()),
    })
    const phases = [...new Set(seen.map(({ phase }) => phase))]
    assert.deepEqual(phases, ['planning', 'fetching', 'replaying', 'proving', 'committing'])
    const status = pitr.getRecoveryStatus()
    assert.ok(status.phase === 'done')
    assert.equal(status.result, result)
    assert.deepEqual(status.target, { lsn: badDelete.lsn, before: true })
    assert.deepEqual(
      status.phases.map(({ phase }) => phase),
      phases,
    )
  })

  it('that fails says in which phase and what had been done, and leaves the target as it was', async () => {
    await using told = await story()
    const { pitr, folder, badDelete } = told
    const targetPath = folder.file('out.db')
    await assert.rejects(
      pitr.recoverToLsn(badDelete.lsn, { targetPath, checkCommand: 'echo wrong >&2; exit 1' }),
      (error) => {
        assert.ok(error instanceof RestoreError)
        assert.deepEqual([error.code, error.phase], ['CHECK_COMMAND_FAILED', 'prove'])
        assert.match(error.message, /It had fetched everything and was proving it; the target is as it was\.$/)
        return true
      },
    )
    assert.ok(!existsSync(targetPath))
    const status = pitr.getRecoveryStatus()
    assert.ok(status.phase === 'failed')
    assert.deepEqual([status.failedWhile, status.error.code], ['proving', 'CHECK_COMMAND_FAILED'])

    writeFileSync(targetPath, 'something else')
    await assert.rejects(pitr.recoverToLsn(1, { targetPath }), (error) => hasCode(error, 'TARGET_EXISTS'))
    assert.equal(pitr.getRecoveryStatus().phase, 'failed')
  })

  it('recovers to a named snapshot, and knows those that there are', async () => {
    await using told = await story()
    const { pitr, folder, history } = told
    const targetPath = folder.file('out.db')
    const { lsn } = await history.snapshot('before-migration')
    await history.commit('DELETE FROM accounts')
    await assert.rejects(
      pitr.recoverToSnapshot('before-breakfast', { targetPath }),
      (error) => hasCode(error, 'BACKUP_NOT_FOUND') && error.hint?.includes('before-migration') === true,
    )
    const { recoveredTo } = await pitr.recoverToSnapshot('before-migration', { targetPath })
    assert.deepEqual([recoveredTo.lsn, recoveredTo.backup?.name], [lsn, 'before-migration'])
    assert.deepEqual(balances(targetPath), [5])
    const later = await history.snapshot('after-deletion')
    const before = folder.file('before.db')
    const undone = await pitr.recoverToSnapshot('after-deletion', { before: true, targetPath: before })
    assert.equal(undone.recoveredTo.lsn, later.lsn - 1)
    assert.equal(undone.recoveredTo.backup, undefined)
    const estimate = await pitr.estimateRecovery({ snapshot: 'after-deletion', before: true })
    assert.ok(estimate.bytesToFetch > 0)
  })

  it('ends when its signal fires', async () => {
    await using told = await story()
    const { pitr, folder, badDelete } = told
    const controller = new AbortController()
    const attempt = pitr.recoverToLsn(badDelete.lsn, {
      targetPath: folder.file('out.db'),
      signal: controller.signal,
      onProgress: ({ phase }) => phase === 'prove' && controller.abort(),
    })
    await assert.rejects(attempt, (error) => hasCode(error, 'ABORTED'))
    assert.ok(!existsSync(folder.file('out.db')))
  })
})
