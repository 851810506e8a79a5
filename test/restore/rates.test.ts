/** Estimates are made by what this machine's past restores took; whatever befalls the file that tells, nothing else does. */
import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { PhaseClock } from '../../src/restore/phase-clock.ts'
import { defaultRates } from '../../src/restore/rates/default-rates.ts'
import { type KnownRates, learn, type RestoreMeasurement } from '../../src/restore/rates/learn.ts'
import { RateFile } from '../../src/restore/rates/rate-file.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const mebibyte = 1024 * 1024
const large: RestoreMeasurement = {
  requests: 10,
  planMs: 500,
  fetchedBytes: 10 * mebibyte,
  writtenBytes: 100 * mebibyte,
  fetchMs: 2000,
  commits: 10_000,
  replayMs: 1000,
  provedBytes: 100 * mebibyte,
  proveMs: 1000,
}

describe('the rates of restores', () => {
  it('are what the first restore took', () => {
    const rates = learn(undefined, large)
    assert.equal(Math.round(rates.requestMs), 50)
    assert.equal(Math.round(rates.writeBytesPerSecond), 50 * mebibyte)
    assert.equal(Math.round(rates.commitsPerSecond), 10_000)
    assert.equal(Math.round(rates.proveBytesPerSecond), 100 * mebibyte)
    assert.equal(rates.restores, 1)
  })

  it('follow a machine that changes, without jumping at one odd restore', () => {
    let rates: KnownRates = learn(undefined, large)
    for (let i = 0; i < 5; i += 1) rates = learn(rates, large)
    const steady = rates.proveBytesPerSecond
    const odd = learn(rates, { ...large, proveMs: 16_000 })
    assert.ok(odd.proveBytesPerSecond > steady / 4 && odd.proveBytesPerSecond < steady)
    rates = odd
    for (let i = 0; i < 20; i += 1) rates = learn(rates, { ...large, proveMs: 16_000 })
    assert.ok(Math.abs(rates.proveBytesPerSecond / (steady / 16) - 1) < 0.05)
  })

  it('learn nothing from work too small to be measured, and stay within reason', () => {
    const small = { ...large, fetchedBytes: 100, writtenBytes: 4096, commits: 3, provedBytes: 4096, proveMs: 30 }
    const { requestMs: _, restores: __, ...learned } = learn(undefined, small)
    const { requestMs: ___, ...usual } = defaultRates
    assert.deepEqual(learned, usual)
    const stopped = learn(undefined, { ...large, proveMs: Number.MAX_VALUE })
    assert.ok(stopped.proveBytesPerSecond >= defaultRates.proveBytesPerSecond / 1000)
  })

  it('are kept for each kind of storage', async () => {
    using folder = temporaryFolder()
    const file = new RateFile(folder.file('state'))
    assert.deepEqual(await file.read('file:///srv/backups'), defaultRates)
    await file.add('file:///srv/backups', large)
    assert.equal(Math.round((await file.read('file:///elsewhere')).commitsPerSecond), 10_000)
    assert.deepEqual(await file.read('s3://bucket/prefix'), defaultRates)
    await file.add('no url', { ...large, replayMs: 2000 })
    assert.equal(Math.round((await file.read('no url')).commitsPerSecond), 5_000)
    assert.deepEqual(readdirSync(folder.file('state')), ['restore-rates.json'])
  })

  it('are those of an ordinary machine when the file cannot be read or written', async () => {
    using folder = temporaryFolder()
    const state = folder.file('state')
    mkdirSync(state)
    for (const text of ['', '{', '{"version":2,"places":{}}', '{"version":1,"places":{"file://":{"requestMs":-1}}}']) {
      writeFileSync(`${state}/restore-rates.json`, text)
      assert.deepEqual(await new RateFile(state).read('file:///srv'), defaultRates)
    }
    await new RateFile(state).add('file:///srv', large)
    assert.match(readFileSync(`${state}/restore-rates.json`, 'utf8'), /"restores": 1/)

    writeFileSync(folder.file('not-a-folder'), '')
    const broken = new RateFile(folder.file('not-a-folder'))
    await broken.add('file:///srv', large)
    assert.deepEqual(await broken.read('file:///srv'), defaultRates)
  })
})

it('the time of phases that take turns goes to the work that was done in it', () => {
  let now = 0
  const clock = new PhaseClock('plan', () => now)
  const report = (time: number, phase: string, done: number) => {
    now = time
    clock.note({ phase, done, total: 10, unit: 'objects' })
  }
  report(5, 'fetch', 0)
  report(15, 'fetch', 4)
  report(18, 'replay', 2)
  report(20, 'fetch', 10)
  report(30, 'prove', 0)
  now = 37
  clock.stop()
  assert.deepEqual(clock.phases, [
    { phase: 'plan', durationMs: 5 },
    { phase: 'fetch', durationMs: 22 },
    { phase: 'replay', durationMs: 3 },
    { phase: 'prove', durationMs: 7 },
  ])
})
