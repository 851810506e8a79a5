/** Which state a person means: exactly that one or none, and the refusal names what there is near by. */
import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { createBackup } from '../../src/backup/create-backup.ts'
import { deleteBackup } from '../../src/backup/delete-backup.ts'
import type { ErrorCode } from '../../src/errors.ts'
import { HoldfastError, hasCode } from '../../src/errors.ts'
import type { DatabaseRepository } from '../../src/repository/database-repository.ts'
import type { BackupManifest } from '../../src/repository/manifest.ts'
import { Repository } from '../../src/repository/repository.ts'
import { planDatabaseRestore } from '../../src/restore/plan-restore.ts'
import type { RestoreTargetState } from '../../src/restore/restore-options.ts'
import { listRestorePoints } from '../../src/restore/restore-points.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'
import { restoreToMemory } from '../scenarios/support/memory-restore.ts'
import { PageSource } from '../support/page-source.ts'
import { segmentOf } from '../support/segment-of.ts'

const noon = Date.UTC(2026, 0, 1, 12)
const minute = 60_000

let database: DatabaseRepository
let backups: BackupManifest[] = []

/** LSN 1 at 12:00, 2 at 12:01 … 5 at 12:04; LSN 2 was deleted again. */
before(async () => {
  const repository = await Repository.init(new MemoryStorage())
  const source = new PageSource().fill(50, 1)
  const chain = [
    { type: 'full' },
    { type: 'full' },
    { type: 'incremental', parent: undefined },
    { type: 'snapshot', name: 'before-migration' },
    { type: 'incremental', name: 'nightly' },
  ] as const
  for (const [i, options] of chain.entries()) {
    source.now = () => noon + i * minute
    source.change(1 + i, 90 + i)
    const parent = i === 2 ? backups[0]?.id : undefined
    backups.push((await createBackup(source, repository, { ...options, parent })).metadata)
  }
  database = repository.database('app')
  const [, second] = backups
  assert.ok(second)
  await deleteBackup(database, second.id)
  backups = (await database.catalog()).backups.slice()
})

const lsnOf = async (state: RestoreTargetState) => (await planDatabaseRestore(database, state)).lsn

async function refusal(state: RestoreTargetState, code: ErrorCode): Promise<string> {
  const error = await planDatabaseRestore(database, state).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof HoldfastError, `${JSON.stringify(state)} was not refused`)
  assert.equal(error.code, code, error.message)
  return `${error.message} ${error.hint}`
}

describe('the state to restore', () => {
  it('is the latest', async () => assert.equal(await lsnOf({ by: 'latest' }), 5))

  it('is named by a backup id, an unambiguous beginning of it, or a name', async () => {
    for (const { id, lsn } of backups) {
      assert.equal(await lsnOf({ by: 'backup', id }), lsn)
      const beginning = [...id]
        .map((_, i) => id.slice(0, i + 1))
        .find((part) => backups.filter((other) => other.id.startsWith(part)).length === 1)
      assert.equal(await lsnOf({ by: 'backup', id: beginning ?? id }), lsn)
    }
    assert.equal(await lsnOf({ by: 'backup', id: 'nightly' }), 5)
    assert.equal(await lsnOf({ by: 'name', name: 'before-migration' }), 4)
  })

  it('is refused when there is no such backup, with the names that there are', async () => {
    assert.match(
      await refusal({ by: 'backup', id: 'zzzzzzzzzzzz' }, 'BACKUP_NOT_FOUND'),
      /no backup with the id or name "zzzzzzzzzzzz"/,
    )
    assert.match(await refusal({ by: 'name', name: 'before' }, 'BACKUP_NOT_FOUND'), /before-migration, nightly/)
    await refusal({ by: 'backup', id: '' }, 'BACKUP_NOT_FOUND')
  })

  it('is named by an LSN', async () => {
    for (const lsn of [1, 3, 4, 5]) assert.equal(await lsnOf({ by: 'lsn', lsn }), lsn)
    assert.equal(await lsnOf({ by: 'lsn', lsn: 5, before: true }), 4)
    assert.equal(await lsnOf({ by: 'lsn', lsn: 3, before: true }), 1, 'LSN 2 is gone')
    assert.equal(await lsnOf({ by: 'lsn', lsn: 99, before: true }), 5)
  })

  it('is refused for an LSN that cannot be reached, with its neighbours', async () => {
    assert.match(
      await refusal({ by: 'lsn', lsn: 2 }, 'NOT_RESTORABLE'),
      /LSN 1 of 2026-01-01T12:00.*LSN 3 of 2026-01-01T12:02/,
    )
    assert.match(await refusal({ by: 'lsn', lsn: 6 }, 'NOT_RESTORABLE'), /before it, LSN 5/)
    assert.match(
      await refusal({ by: 'lsn', lsn: 1, before: true }, 'NOT_RESTORABLE'),
      /no restorable state before LSN 1\b.*after it, LSN 1 /,
    )
    for (const lsn of [0, -1, 1.5, Number.NaN]) await refusal({ by: 'lsn', lsn }, 'USAGE')
  })

  it('is named by the moment of a backup', async () => {
    for (const [i, lsn] of [
      [0, 1],
      [2, 3],
      [3, 4],
      [4, 5],
    ] as const)
      assert.equal(await lsnOf({ by: 'time', time: noon + i * minute }), lsn)
  })

  it('is the newest before a moment only for who asks so', async () => {
    assert.equal(await lsnOf({ by: 'time', time: noon + 3 * minute, before: true }), 3)
    assert.equal(await lsnOf({ by: 'time', time: noon + 3 * minute + 1, before: true }), 4)
    assert.equal(await lsnOf({ by: 'time', time: noon + minute + 1, before: true }), 1)
    assert.equal(await lsnOf({ by: 'time', time: noon + 1000 * minute, before: true }), 5)
    assert.match(await refusal({ by: 'time', time: noon, before: true }, 'NOT_RESTORABLE'), /before the first state/)
  })

  it('is refused for a moment at which nobody knows what the database held, with its neighbours', async () => {
    const between = await refusal({ by: 'time', time: noon + minute }, 'NOT_RESTORABLE')
    assert.match(between, /is not known: nothing was captured between two backups.*LSN 1.*LSN 3/)
    assert.match(
      await refusal({ by: 'time', time: noon - 1 }, 'NOT_RESTORABLE'),
      /before the first state.*after it, LSN 1/,
    )
    assert.match(
      await refusal({ by: 'time', time: noon + 5 * minute }, 'NOT_RESTORABLE'),
      /after the newest state.*before it, LSN 5/,
    )
  })

  it('is refused when there is no backup at all', async () => {
    const empty = (await Repository.init(new MemoryStorage())).database('app')
    for (const state of [{ by: 'latest' }, { by: 'time', time: noon }, { by: 'lsn', lsn: 1 }] as const)
      await assert.rejects(planDatabaseRestore(empty, state), /has no backup that could be restored/)
  })
})

describe('restore points', () => {
  it('are the backups that there are, with the gaps between them', async () => {
    const { points, windows, gaps } = await listRestorePoints(database)
    assert.deepEqual(
      points.map(({ lsn, time, backups: of }) => [lsn, time, of.map(({ lsn: own }) => own)]),
      [1, 3, 4, 5].map((lsn) => [lsn, noon + (lsn - 1) * minute, [lsn]]),
    )
    assert.equal(windows.length, 4)
    assert.equal(gaps.length, 3)
    assert.equal(gaps[0]?.toTime, noon + 2 * minute)
  })

  it('can be asked for in a range of time, both ends inclusive', async () => {
    const { points, windows, gaps } = await listRestorePoints(database, {
      from: noon + 2 * minute,
      to: noon + 3 * minute,
    })
    assert.deepEqual(
      points.map(({ lsn }) => lsn),
      [3, 4],
    )
    assert.deepEqual([windows.length, gaps.length], [2, 3], 'also the gaps that reach into it')
    assert.deepEqual((await listRestorePoints(database, { from: noon + 9 * minute })).points, [])
  })
})

describe('an estimate', () => {
  it('counts the chain that a restore would take', async () => {
    const plan = await planDatabaseRestore(database, { by: 'latest' })
    const { segments } = await database.catalog()
    assert.deepEqual(
      plan.steps.map(({ from, to }) => [from, to]),
      [
        [0, 1],
        [1, 3],
        [3, 4],
        [4, 5],
      ],
    )
    assert.equal(plan.estimate.segments, 4)
    assert.equal(plan.estimate.bytesToWrite, 50 * 512)
    assert.equal(
      plan.estimate.bytesToFetch,
      segments.reduce((sum, { bytes }) => sum + bytes, 0),
    )
    assert.ok(plan.estimate.durationMs > 0)
  })

  it('grows with what is to be fetched and written', async () => {
    const first = await planDatabaseRestore(database, { by: 'lsn', lsn: 1 })
    const last = await planDatabaseRestore(database, { by: 'lsn', lsn: 5 })
    assert.ok(first.estimate.bytesToFetch < last.estimate.bytesToFetch)
    assert.ok(first.estimate.durationMs < last.estimate.durationMs)
  })
})

describe('two backups of different states that have one LSN', () => {
  /** As when two repositories were merged, or two writers took each other for dead. */
  async function twins() {
    const storage = new MemoryStorage()
    const other = new MemoryStorage()
    const made: { backup: BackupManifest; image: Buffer }[] = []
    for (const [i, each] of [storage, other].entries()) {
      const repository = await Repository.init(each)
      // The second is dearer to fetch, so a plan by LSN alone would take the first.
      const source = new PageSource().fill(50 + 50 * i, 1 + i)
      source.now = () => noon + i
      const { metadata } = await createBackup(source, repository, { type: 'full' })
      made.push({ backup: metadata, image: Buffer.concat(source.pages) })
    }
    for await (const { key } of other.list('databases/')) {
      if (!key.includes('/segments/') && !key.includes('/backups/')) continue
      await storage.put(key, other.get(key))
    }
    return { twin: (await Repository.open(storage)).database('app'), made, storage }
  }

  it('are told apart by id', async () => {
    const { twin, made } = await twins()
    assert.deepEqual(
      made.map(({ backup }) => backup.lsn),
      [1, 1],
    )
    for (const { backup, image } of made) {
      const wanted = { by: 'backup', id: backup.id } as const
      const plan = await planDatabaseRestore(twin, wanted)
      assert.deepEqual([plan.backup?.id, plan.checksum], [backup.id, backup.checksum])
      assert.ok((await restoreToMemory(twin, wanted)).equals(image))
    }
  })

  it('are never taken for one another when one has lost its segment', async () => {
    const { twin, made, storage } = await twins()
    const [first, second] = made.map(({ backup }) => backup)
    assert.ok(first && second)
    await storage.delete(segmentOf(second))
    await assert.rejects(planDatabaseRestore(twin, { by: 'backup', id: second.id }), (error) => {
      assert.ok(hasCode(error, 'INTEGRITY'))
      assert.ok(error.message.includes(first.id) && error.message.includes(second.id), error.message)
      return true
    })
    assert.equal((await planDatabaseRestore(twin, { by: 'backup', id: first.id })).backup?.id, first.id)
  })

  it('are refused, both named, where only the LSN or a moment says which', async () => {
    const { twin, made } = await twins()
    for (const wanted of [{ by: 'lsn', lsn: 1 }, { by: 'latest' }, { by: 'time', time: noon }] as const) {
      await assert.rejects(planDatabaseRestore(twin, wanted), (error) => {
        assert.ok(hasCode(error, 'INTEGRITY'), String(error))
        for (const { backup } of made) assert.ok(error.message.includes(backup.id))
        return true
      })
    }
  })
})
