/** A mirror without room for what is new gives up first what is due to go there, and nothing that is to stay. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { compactDatabase } from '../../../src/maintenance/compact/compact-database.ts'
import { expireDatabase } from '../../../src/maintenance/expire/expire-database.ts'
import { formatKey, retentionKey } from '../../../src/repository/layout.ts'
import { readMirror } from '../../../src/repository/mirror-record.ts'
import { Repository } from '../../../src/repository/repository.ts'
import { updateLedger } from '../../../src/repository/verification-ledger.ts'
import { collectBytes } from '../../../src/util/bytes.ts'
import { storeCommits } from '../../support/log-history.ts'
import { day, hour, KeptHistory } from '../support/kept-history.ts'
import { checkMirror, contents, mirrorHistory } from './support/mirrored-history.ts'
import { SmallStorage } from './support/small-storage.ts'
import { WatchedStorage } from './support/watched-storage.ts'

const policy = { last: 1, window: hour }
const later = 8 * day

async function fullBackup(history: KeptHistory): Promise<void> {
  const segment = await history.base(day)
  await history.backup(history.lsn, { type: 'full', segment })
}

/** Four full backups on both sides. */
async function mirrored() {
  const history = await KeptHistory.make(7)
  const mirror = new SmallStorage()
  for (let count = 0; count < 4; count += 1) await fullBackup(history)
  await mirrorHistory(history, mirror)
  return { history, mirror }
}

/** The repository keeps only its newest backup, and the mirror knows that for longer than its grace. */
async function withMuchDue() {
  const { history, mirror } = await mirrored()
  await expireDatabase(await history.database(), policy, { graceMs: 0, now: history.time })
  assert.ok((await mirrorHistory(history, mirror)).waiting.length > 4)
  return { history, mirror, now: history.time + later }
}

describe('a full mirror', () => {
  it('lets go of what is due before it takes what is new, and at every moment each backup on it can be restored', async () => {
    const { history, mirror, now } = await withMuchDue()
    await fullBackup(history)
    await mirror.leave(2000)
    let checked = 0
    const watched = new WatchedStorage(mirror, {
      onChange: async () => {
        checked += await checkMirror(history, mirror)
      },
    })
    const { complete, deleted, findings, heldBack } = await mirrorHistory(history, watched, { now })
    assert.deepEqual([complete, findings, heldBack], [true, [], []])
    assert.ok(mirror.refused.length > 0)
    assert.equal(deleted.length, 6)
    assert.ok(checked > 10)
    assert.deepEqual(await contents(mirror), await contents(history.storage))
  })

  it('also where there is not a byte left, for which the copy of the format document steps aside', async () => {
    const { history, mirror, now } = await withMuchDue()
    const format = await collectBytes(mirror.get(formatKey))
    await fullBackup(history)
    await mirror.leave(0)
    assert.ok((await mirrorHistory(history, mirror, { now })).complete)
    assert.ok(Buffer.from(format).equals(await collectBytes(mirror.get(formatKey))))
    assert.deepEqual(await contents(mirror), await contents(history.storage))
  })

  it('takes in a database that found no room, when another one behind it has let go of something', async () => {
    const { history, mirror, now } = await withMuchDue()
    const first = (await Repository.open(history.storage)).database('aaa')
    const createdAt = new Date(0).toISOString()
    await first.putRecord({ name: 'aaa', kind: 'sqlite', location: '/data/aaa.db', createdAt })
    await storeCommits(first, history.at(0), [history.at(1)], 'base', 512, 1)
    await fullBackup(history)
    await mirror.leave(0)
    const { complete, failures } = await mirrorHistory(history, mirror, { now })
    assert.ok(mirror.refused.some((key) => key.startsWith('databases/aaa/')))
    assert.deepEqual([complete, failures], [true, []])
    assert.deepEqual(await contents(mirror), await contents(history.storage))
  })

  it('learns what was deleted in the repository while it takes nothing in, so that its grace ends', async () => {
    const { history, mirror } = await mirrored()
    await expireDatabase(await history.database(), policy, { graceMs: 0, now: history.time })
    await fullBackup(history)
    await mirror.leave(0)
    const noticed = history.time
    await assert.rejects(mirrorHistory(history, mirror, { now: noticed }), { code: 'DISK_FULL' })
    assert.ok(Object.keys((await readMirror(mirror))?.absent ?? {}).length > 4)
    await assert.rejects(mirrorHistory(history, mirror, { now: noticed + 6 * day }), { code: 'DISK_FULL' })
    assert.equal(await checkMirror(history, mirror), 4)
    // Meanwhile the repository has forgotten what it deleted.
    await history.storage.delete(retentionKey('app'))
    const { complete, deleted } = await mirrorHistory(history, mirror, { now: noticed + later })
    assert.deepEqual([complete, deleted.length], [true, 6])
    mirror.limit = Number.POSITIVE_INFINITY
    await mirrorHistory(history, mirror, { now: noticed + later })
    assert.deepEqual(
      [...(await contents(mirror))].filter(([key]) => key !== retentionKey('app')),
      [...(await contents(history.storage))],
    )
  })

  it('keeps what is due as long as a backup that stays needs it', async () => {
    const history = await KeptHistory.make(9)
    const mirror = new SmallStorage()
    await fullBackup(history)
    await history.delta(day)
    await history.delta(day)
    await history.backup()
    await mirrorHistory(history, mirror)
    // What replaces the chain finds no room, so the chain stays.
    await compactDatabase(await history.database(), { graceMs: 0, limits: { maxChain: 1 }, now: history.time })
    await expireDatabase(await history.database(), policy, { graceMs: 0, now: history.time })
    const { storage } = history
    assert.equal((await Array.fromAsync(storage.list('databases/app/segments/'))).length, 1)
    await mirror.leave(0)
    await assert.rejects(mirrorHistory(history, mirror), { code: 'DISK_FULL' })
    await assert.rejects(mirrorHistory(history, mirror, { now: history.time + later }), { code: 'DISK_FULL' })
    assert.equal(await checkMirror(history, mirror), 1)
    mirror.limit = Number.POSITIVE_INFINITY
    assert.ok((await mirrorHistory(history, mirror, { now: history.time + later })).complete)
    assert.deepEqual(await contents(mirror), await contents(history.storage))
  })

  it('lets go of nothing while a state that is to stay rests on what is damaged there', async () => {
    const { history, mirror, now } = await withMuchDue()
    await fullBackup(history)
    const segments = (await Array.fromAsync(mirror.list('databases/app/segments/'))).map(({ key }) => key)
    const damaged = segments.at(-1) ?? assert.fail()
    const entry = { checkedAt: new Date(history.time).toISOString(), ok: false, problem: 'It is damaged.' }
    const existing = { segments: new Set([damaged]), backups: new Set<string>() }
    const side = { ...(await history.database(mirror)), storage: mirror, name: 'app' }
    await updateLedger(side, { segments: { [damaged]: entry } }, existing)
    await mirror.leave(0)
    await assert.rejects(mirrorHistory(history, mirror, { now }), { code: 'DISK_FULL' })
    assert.equal((await Array.fromAsync(mirror.list('databases/app/segments/'))).length, segments.length)
  })
})
