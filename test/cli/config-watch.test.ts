import assert from 'node:assert/strict'
import { appendFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { ConfigWatch } from '../../src/cli/agent/config-watch.ts'
import { HangUps } from '../../src/cli/agent/hang-ups.ts'
import { FakeSchedulerClock } from '../agent/schedule/support/fake-scheduler-clock.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

function soon(_milliseconds: number, callback: () => void): () => void {
  const timer = setImmediate(callback)
  return () => clearImmediate(timer)
}

async function scene() {
  const file = { version: 'a' }
  const clock = new FakeSchedulerClock('2026-11-21T06:00Z')
  const watch = await ConfigWatch.of('holdfast.yaml', {
    after: clock.after.bind(clock),
    look: async () => file.version,
  })
  const told: string[] = []
  return { file, clock, watch, told, begin: () => watch.begin(() => told.push(file.version)) }
}

describe('a change of the configuration file', () => {
  it('is told when the file stays as it is, not while it is being written', async () => {
    const { file, clock, watch, told, begin } = await scene()
    begin()
    await clock.pass(60_000)
    assert.deepEqual(told, [])
    for (const version of ['b', 'c', 'd']) {
      file.version = version
      await clock.pass(version === 'b' ? 5_000 : 1_000)
    }
    assert.deepEqual(told, [])
    await clock.pass(1_000)
    assert.deepEqual(told, ['d'])
    await clock.pass(60_000)
    assert.deepEqual(told, ['d'], 'once')
    watch[Symbol.dispose]()
    assert.equal(clock.timers, 0)
  })

  it('is none if it is taken back', async () => {
    const { file, clock, watch, told, begin } = await scene()
    begin()
    await clock.pass(1_000)
    file.version = 'b'
    await clock.pass(4_000)
    file.version = 'a'
    await clock.pass(60_000)
    assert.deepEqual(told, [])
    watch[Symbol.dispose]()
  })

  it('is told if it came before anybody wanted to know', async () => {
    const { file, clock, watch, told, begin } = await scene()
    file.version = 'b'
    begin()
    await clock.pass(1_000)
    assert.deepEqual(told, ['b'])
    watch[Symbol.dispose]()
  })

  it('is one of what is in it, of which file it is, or whether it is there', async () => {
    using folder = temporaryFolder()
    const path = folder.file('holdfast.yaml')
    writeFileSync(path, 'a')
    const changes = [
      () => appendFileSync(path, 'b'),
      () => {
        writeFileSync(folder.file('other'), 'ab')
        renameSync(folder.file('other'), path)
      },
      () => rmSync(path),
      () => writeFileSync(path, 'ab'),
    ]
    for (const change of changes) {
      using watch = await ConfigWatch.of(path, { after: soon })
      change()
      await new Promise<void>((resolve) => watch.begin(resolve))
    }
  })
})

describe('a hang-up', () => {
  it('is not lost, whenever it comes', () => {
    let hangUp = (): void => assert.fail('nobody listens')
    const hangUps = new HangUps((heard) => {
      hangUp = heard
    })
    let told = 0
    hangUp()
    hangUp()
    hangUps.hear(() => {
      told += 1
    })
    assert.equal(told, 1)
    hangUp()
    assert.equal(told, 2)
  })
})
