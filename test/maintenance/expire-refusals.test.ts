import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { hasCode } from '../../src/errors.ts'
import { expireDatabase } from '../../src/maintenance/expire/expire-database.ts'
import { pinBackup } from '../../src/maintenance/pins/pin-backup.ts'
import { Lease } from '../../src/repository/lease.ts'
import { updateLedger } from '../../src/repository/verification-ledger.ts'
import { verifyRepository } from '../../src/verify/verify-repository.ts'
import { day, KeptHistory } from './support/kept-history.ts'
import { followed } from './support/ten-days.ts'

const atOnce = { graceMs: 0 }

describe('expiry deletes nothing', () => {
  const policy = { last: 1, window: 0 }

  async function refused(history: KeptHistory, code: Parameters<typeof hasCode>[1], object: RegExp): Promise<void> {
    const before = (await history.keys()).filter((key) => !key.includes('/segments/'))
    const segments = await history.segments()
    await assert.rejects(
      expireDatabase(await history.database(), policy, { ...atOnce, now: history.time }),
      (error) => hasCode(error, code) && object.test(`${error.object}`) && /Nothing is deleted/.test(error.message),
    )
    const keys = await history.keys()
    for (const key of [...before, ...segments.map(({ key }) => key)]) assert.ok(keys.includes(key), key)
  }

  async function damage(history: KeptHistory, key: string, at: number): Promise<void> {
    const bytes = Buffer.concat(await Array.fromAsync(history.storage.get(key)))
    const place = at < 0 ? bytes.length + at : at
    bytes[place] = (bytes[place] ?? 0) ^ 1
    await history.storage.put(key, bytes)
  }

  it('while a manifest cannot be read', async () => {
    const { history } = await followed()
    const key = (await history.keys()).find((one) => one.includes('/backups/')) ?? ''
    await damage(history, key, 120)
    await refused(history, 'INTEGRITY', /\/backups\//)
  })

  it('while the pins cannot be read, which a verification finds too', async () => {
    const { history, backups } = await followed()
    await pinBackup(await history.database(), (await (await history.database()).catalog()).backups[0]?.id ?? '')
    await damage(history, 'databases/app/retention.json', -3)
    await refused(history, 'INTEGRITY', /retention\.json/)
    const { findings } = await verifyRepository((await history.database()).repository, { level: 'metadata' })
    assert.deepEqual(
      findings.map(({ object, affectedBackups }) => [object, affectedBackups]),
      [['databases/app/retention.json', []]],
    )
    await history.checkAll(backups)
  })

  it('while it is not known what was verified', async () => {
    const { history } = await followed()
    const database = await history.database()
    await updateLedger(database, {}, { segments: new Set(), backups: new Set() })
    await damage(history, 'databases/app/verification.json', -3)
    await assert.rejects(expireDatabase(database, policy, { ...atOnce, now: history.time }), (error) =>
      hasCode(error, 'INTEGRITY'),
    )
    assert.equal((await database.catalog()).backups.length, 10)
  })

  it('while the index of any segment is damaged', async () => {
    const { history } = await followed()
    await damage(history, (await history.segments())[7]?.key ?? '', -60)
    await refused(history, 'INTEGRITY', /-log\.hfs$/)
  })

  it('while an object has a segment’s place and no segment’s name', async () => {
    const { history } = await followed()
    await history.storage.put('databases/app/segments/strange', Buffer.from('?'))
    await refused(history, 'INTEGRITY', /strange/)
  })

  it('while a kept backup misses a segment', async () => {
    const { history } = await followed()
    const [, log] = await history.segments()
    await history.storage.delete(log?.key ?? '')
    await refused(history, 'INTEGRITY', /./)
  })

  it('while the content of a log that must be merged is damaged, and leaves no half-made segment', async () => {
    const { history } = await followed()
    const segments = await history.segments()
    await damage(history, segments.find(({ kind }) => kind === 'log')?.key ?? '', 140)
    await assert.rejects(expireDatabase(await history.database(), policy, { ...atOnce, now: history.time }), (error) =>
      hasCode(error, 'INTEGRITY'),
    )
    assert.deepEqual(await history.segments(), segments)
  })

  it('while verification knows of damage in what is kept', async () => {
    const history = await KeptHistory.make()
    const old = await history.base(day)
    await history.backup(1, { segment: old })
    const base = await history.base(day)
    await history.backup(2, { segment: base })
    const bad = { checkedAt: new Date(history.time).toISOString(), ok: false, problem: 'A block is damaged.' }
    const existing = { segments: new Set([base.key]), backups: new Set<string>() }
    await updateLedger(await history.database(), { segments: { [base.key]: bad } }, existing)
    await refused(history, 'INTEGRITY', /-base\.hfs$/)
  })

  it('while a backup promises another state than its segments lead to', async () => {
    const history = await KeptHistory.make()
    const old = await history.base(day)
    await history.backup(1, { segment: old })
    const base = await history.base(day)
    const manifest = await history.backup(2, { segment: base })
    const database = await history.database()
    await database.deleteManifest(manifest)
    await database.putManifest({ ...manifest, checksum: '0123456789abcdef' })
    await refused(history, 'INTEGRITY', /-base\.hfs$/)
  })

  it('in a dry run, which takes no lease either and says the same as the run', async () => {
    const { history } = await followed()
    const database = await history.database()
    await using lease = await Lease.acquire(database, { purpose: 'backup' })
    const before = await history.keys()
    const options = { ...atOnce, now: history.time }
    const planned = await expireDatabase(database, policy, { ...options, dryRun: true })
    assert.deepEqual(await history.keys(), before)
    await assert.rejects(expireDatabase(database, policy, options), (error) => hasCode(error, 'LEASE_HELD'))
    const done = await expireDatabase(database, policy, { ...options, lease })
    assert.deepEqual(
      [planned.keep, planned.drop, planned.deleted.map(({ key }) => key).sort()],
      [done.keep, done.drop, done.deleted.map(({ key }) => key).sort()],
    )
    assert.deepEqual(
      planned.merged.map(({ kind, from, to }) => [kind, from, to]),
      done.merged.map(({ kind, from, to }) => [kind, from, to]),
    )
    await lease.confirm()
  })

  it('for a policy that makes no sense', async () => {
    const { history } = await followed()
    const database = await history.database()
    for (const wrong of [{ last: -1 }, { daily: 1.5 }, { timeZone: 'Mars' }, { last: 0 }, { maxBackups: 0 }])
      await assert.rejects(expireDatabase(database, wrong), (error) => hasCode(error, 'USAGE'))
  })
})
