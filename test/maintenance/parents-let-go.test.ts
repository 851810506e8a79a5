/** Backups whose parents were let go, and verification, which misses manifests that were lost. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { deleteBackup } from '../../src/backup/delete-backup.ts'
import { expireDatabase } from '../../src/maintenance/expire/expire-database.ts'
import { readRetention } from '../../src/repository/retention-record.ts'
import { verifyRepository } from '../../src/verify/verify-repository.ts'
import { KeptHistory } from './support/kept-history.ts'

/** A full backup, and two incremental ones, each building on the one before. */
async function chain() {
  const history = await KeptHistory.make(4)
  const base = await history.base()
  const full = await history.backup(1, { type: 'full', segment: base })
  const first = await history.backup(2, { segment: await history.delta(), parent: full.id })
  const second = await history.backup(3, { segment: await history.delta(), parent: first.id })
  return { history, full, first, second }
}

async function findings(history: KeptHistory) {
  return (await verifyRepository((await history.database()).repository, { level: 'metadata' })).findings
}

/** So that segments stay as they are. */
const noMerges = { worth: 1e9 }

describe('a backup whose parent was let go', () => {
  it('is sound after an expiry that left its segment as it was', async () => {
    const { history, first, second } = await chain()
    const { drop } = await expireDatabase(
      await history.database(),
      { last: 1, window: 0 },
      { now: history.time, graceMs: 0, limits: noMerges },
    )
    assert.ok(drop.some(({ backup }) => backup.id === first.id))
    assert.ok((await history.segments()).some(({ key }) => key === second.segment))
    assert.deepEqual(await findings(history), [])
    assert.deepEqual((await readRetention(await history.database())).letGo, [first.id])
  })

  it('is sound after the deletion of a parent that it only follows, by way of a log', async () => {
    const { history } = await chain()
    await history.log(3)
    const parent = await history.backup(history.lsn - 1)
    const segment = await history.delta()
    const child = await history.backup(history.lsn, { segment, parent: parent.id })
    await deleteBackup(await history.database(), parent.id)
    await history.check(child.lsn)
    assert.deepEqual(await findings(history), [])
  })

  it('is still told of if the manifest was lost', async () => {
    const { history, first } = await chain()
    const [key = assert.fail()] = (await history.keys()).filter((name) => name.includes(first.id))
    await history.storage.delete(key)
    const [finding, ...others] = await findings(history)
    assert.equal(finding?.object, first.id)
    assert.match(finding?.problem ?? '', /manifest is missing/)
    assert.deepEqual(others, [])
  })
})

describe('damage in what a backup’s segment was merged into', () => {
  it('is told of, and not the segment that is there no longer', async () => {
    const { history, second } = await chain()
    const limits = { maxChain: 2, minBytes: 0, smallBase: 1e9 }
    const policy = { last: 1, window: 0 }
    await expireDatabase(await history.database(), policy, { now: history.time, graceMs: 0, limits })
    const [only = assert.fail(), ...more] = await history.segments()
    assert.deepEqual([only.kind, more.length, only.key === second.segment], ['base', 0, false])
    await history.storage.put(only.key, new Uint8Array(100))
    assert.deepEqual(
      (await findings(history)).map(({ object, affectedBackups }) => [object, affectedBackups]),
      [[only.key, [second.id]]],
    )
  })
})
