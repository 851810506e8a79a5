/** Commits that undo one another leave the database as it was: that alone does not show that none is missing. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { CaptureEvent } from '../../src/capture/capture-events.ts'
import { followDatabase } from '../../src/capture/follow-database.ts'
import { gapReasons } from '../../src/capture/gap-reasons.ts'
import { restorableWindows } from '../../src/history/windows.ts'
import { Repository } from '../../src/repository/repository.ts'
import { sqlite } from '../../src/source/sqlite/sqlite-source.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'
import { seededRandom } from '../support/random.ts'
import { SqlProcess } from '../support/sql-process.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { Rig } from './support/rig.ts'

const set = (state: string): string => `UPDATE t SET x = '${state}'`

/** A follower's first life and its second, and what the application does in between, having closed the database. */
async function twoLives(meanwhile: readonly string[]) {
  using folder = temporaryFolder()
  const path = folder.file('app.db')
  const before = await SqlProcess.open(path)
  await before.query('PRAGMA journal_mode = wal', 'CREATE TABLE t (x)', "INSERT INTO t VALUES ('off')")
  await using repository = await Repository.init(new MemoryStorage())
  const events: CaptureEvent[] = []
  const onEvent = (event: CaptureEvent) => void events.push(event)
  const follow = () => followDatabase(sqlite(path), repository, { stateFolder: folder.file('state'), onEvent })
  const first = await follow()
  await before.query(set('on'), set('off'))
  const left = await first.sync()
  await first.stop()
  await before.close()
  await using after = await SqlProcess.open(path)
  await after.query('SELECT x FROM t', ...meanwhile)
  const second = await follow()
  const found = await second.sync()
  await after.query(set('on'))
  const last = await second.sync()
  await second.stop()
  const { segments, gaps } = await repository.database('app').catalog()
  const starts = events.flatMap((event) => (event.kind === 'started' ? event.how : []))
  return { starts, left, found, last, gaps: restorableWindows(segments, gaps).gaps }
}

describe('a database that is as it was left, with another log', () => {
  it('has a gap if that log holds commits', async () => {
    const { starts, left, found, last, gaps } = await twoLives([set('on'), set('off')])
    assert.deepEqual(starts, ['first', 'healed'])
    assert.deepEqual([found, last], [left + 1, left + 2])
    assert.deepEqual(
      gaps.map(({ fromLsn, toLsn, reason }) => [fromLsn, toLsn, reason]),
      [[left, found, gapReasons['log-reset']]],
    )
  })

  it('has none if nothing shows that it was written to', async () => {
    const { starts, left, found, last, gaps } = await twoLives([])
    assert.deepEqual(starts, ['first', 'unchanged'])
    assert.deepEqual([found, last, gaps], [left, left + 1, []])
  })
})

for (const reason of ['log-reset', 'page-missing'] as const) {
  it(`a loss that was noticed while following is a gap, also if the database is as it was before: ${reason}`, async () => {
    const rig = await Rig.make()
    const capture = await rig.follow()
    rig.database.commitRandom(seededRandom(71))
    const before = await capture.sync()
    rig.database.loseNext = reason
    const after = await capture.sync()
    await capture.stop()
    assert.deepEqual(
      rig.of('gap').map((gap) => [gap.fromLsn, gap.toLsn, gap.reason]),
      [[before, after, gapReasons[reason]]],
    )
    await rig.check()
  })
}

it('commits that the spool had no room for are a gap, also if they undid one another', async () => {
  const rig = await Rig.make()
  await using capture = await rig.follow()
  rig.database.commitRandom(seededRandom(72))
  const before = await capture.sync()
  const { seq } = rig.database
  rig.files.capacity = 0
  rig.database.commit(new Map())
  await rig.clock.sleep(300)
  rig.database.seq = seq - 1
  rig.database.commit(new Map())
  await rig.until(() => rig.of('spool-full').at(-1)?.action === 'gave-up')
  rig.files.capacity = Number.POSITIVE_INFINITY
  const after = await capture.sync()
  assert.deepEqual(
    rig.of('gap').map(({ fromLsn, toLsn, reason }) => [fromLsn, toLsn, reason]),
    [[before, after, gapReasons['spool-full']]],
  )
  assert.equal((await rig.check()).get(after), seq)
})
