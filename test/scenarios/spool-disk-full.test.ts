/** The disk of the spool is full while the repository is there: said so, with a gap that tells why, and nothing else is lost. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import type { CaptureEvent } from '../../src/capture/capture-events.ts'
import { type Clock, systemClock } from '../../src/capture/clock.ts'
import { followDatabase } from '../../src/capture/follow-database.ts'
import { gapReasons } from '../../src/capture/gap-reasons.ts'
import { hasCode } from '../../src/errors.ts'
import { Repository } from '../../src/repository/repository.ts'
import { sqlite } from '../../src/source/sqlite/sqlite-source.ts'
import { openStorage } from '../../src/storage/open-storage.ts'
import { createOracleDatabase } from '../support/oracle.ts'
import { seededRandom, testSeed } from '../support/random.ts'
import { SqlProcess } from '../support/sql-process.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { WriterProcess } from '../support/writer-process.ts'
import { FollowedHistory, leftovers } from './support/followed-history.ts'
import { SmallDisk, whyNoSmallDisk } from './support/small-disk.ts'

const seed = testSeed()
/** What the application must commit beside a follower that keeps nothing, to show that it is not held up. */
const commitsMeanwhile = 100

describe(`a full disk at the spool (HOLDFAST_SEED=${seed})`, { skip: whyNoSmallDisk() }, () => {
  for (const bytesFree of [0, 20_000]) {
    it(
      `which has ${bytesFree} bytes left: the application goes on, and so does the follower once there is room`,
      {
        timeout: 120_000,
      },
      () => fillAndFree(bytesFree),
    )
  }
})

async function fillAndFree(bytesFree: number): Promise<void> {
  using folder = temporaryFolder()
  using disk = new SmallDisk(4)
  const path = folder.file('app.db')
  createOracleDatabase(path)
  await using repository = await Repository.init(await openStorage(folder.file('repository')))
  const history = new FollowedHistory(repository, folder.file('restored.db'), seededRandom(seed), [
    gapReasons['spool-full'],
  ])
  const events: CaptureEvent[] = []
  const of = <K extends CaptureEvent['kind']>(kind: K) =>
    events.filter((event): event is Extract<CaptureEvent, { kind: K }> => event.kind === kind)
  const clock = new SkippingClock()
  await using capture = await followDatabase(sqlite(path), repository, {
    stateFolder: disk.file('state'),
    syncIntervalMs: 50,
    handOff: { logBytes: 256 * 1024 },
    clock,
    onEvent: (event) => events.push(event),
  })
  await using application = await SqlProcess.open(path)
  const newest = async () => Number((await application.query('SELECT seq FROM oracle'))[0]?.['seq'])
  await using writer = await WriterProcess.start({ path, seed, rows: 300, maintenancePercent: 0, pauseMs: 1 })
  const sync = async (): Promise<number> => {
    const atLeast = await newest()
    const lsn = await capture.sync()
    history.acknowledged.push({ lsn, atLeast, atMost: await newest() })
    return lsn
  }

  const lastBefore = await sync()
  disk.fill(bytesFree)
  await until(() => of('spool-full').length > 0)
  assert.deepEqual(
    of('spool-full').map(({ action }) => action),
    ['gave-up'],
  )
  const warnings = of('warning').map(({ message }) => message)
  const told = /^Commits are not kept until the spool can be used again\. No space left while writing /
  assert.ok(
    warnings.some((message) => told.test(message)),
    warnings.join('\n'),
  )

  const [atFull, handOffs] = [await newest(), of('handed-off').length]
  await until(async () => (await newest()) > atFull + commitsMeanwhile)
  await until(() => of('handed-off').some(({ complete }, index) => complete && index >= handOffs))

  let isAnswered = false
  const waiting = sync().finally(() => {
    isAnswered = true
  })
  disk.free()
  await until(() => {
    clock.skip(10_000)
    return isAnswered
  })
  const firstAfter = await waiting
  await sync()
  const end = await writer.stop()
  assert.equal((await history.restore({ by: 'lsn', lsn: await sync() })).seq, end)
  await capture.stop()

  const { gaps } = await repository.database('app').catalog()
  const [first, ...losses] = gaps.toSorted((a, b) => a.toLsn - b.toLsn)
  assert.equal(first?.reason, gapReasons['first-state'])
  assert.ok(losses.length > 0, 'commits were let go by, and no gap says so')
  for (const { fromLsn, toLsn, fromTime, toTime, reason } of losses) {
    assert.equal(reason, gapReasons['spool-full'])
    assert.ok(fromLsn >= lastBefore && toLsn <= firstAfter, `a gap from ${fromLsn} to ${toLsn}`)
    const sides = [await history.restore({ by: 'lsn', lsn: fromLsn }), await history.restore({ by: 'lsn', lsn: toLsn })]
    assert.ok((sides[0]?.seq ?? 0) < (sides[1]?.seq ?? 0))
    const inside = Math.floor((fromTime + toTime) / 2)
    assert.ok(fromTime < inside && inside < toTime)
    await assert.rejects(history.restore({ by: 'time', time: inside }), (error) => hasCode(error, 'NOT_RESTORABLE'))
  }
  for (const { lsn, atLeast, atMost } of history.acknowledged) {
    const { seq } = await history.restore({ by: 'lsn', lsn })
    assert.ok(seq >= atLeast && seq <= atMost, `LSN ${lsn} is commit ${seq}, not ${atLeast} to ${atMost}`)
  }
  await history.check()
  await history.verify()
  assert.deepEqual(leftovers(disk.path), [])
}

/** The system's clock, put on by the test: what is tried again in half a minute is tried at once. */
class SkippingClock implements Clock {
  readonly random = systemClock.random
  readonly sleep = systemClock.sleep
  #ahead = 0

  now(): number {
    return Date.now() + this.#ahead
  }

  skip(milliseconds: number): void {
    this.#ahead += milliseconds
  }
}

/** The time limit of the test ends what never comes. */
async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await delay(20)
}
