import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { CaptureEvent } from '../../src/capture/capture-events.ts'
import { Followed } from '../../src/cli/follow/followed.ts'
import { statusLine } from '../../src/cli/follow/status-line.ts'
import { toLsn } from '../../src/history/lsn.ts'

function followed(name: string, ...events: CaptureEvent[]): Followed {
  const database = new Followed(name, `/data/${name}.db`)
  for (const event of events) database.note(event, 50_000)
  return database
}

const started: CaptureEvent = { kind: 'started', mode: 'commits', how: 'first', lsn: toLsn(1), time: 1000 }
const commits = (count: number, lsn: number, time: number): CaptureEvent => ({
  kind: 'commits',
  count,
  bytes: 0,
  lsn: toLsn(lsn),
  time,
})
const uploaded = (lsn: number): CaptureEvent => ({
  kind: 'uploaded',
  segment: 's',
  lsn: toLsn(lsn),
  bytes: 9,
  lagMs: 5,
})

it('the lag is the age of the oldest commit that is not in the repository', () => {
  const app = followed('app', started, commits(10, 11, 10_000), commits(5, 16, 12_000))
  assert.equal(app.lag(15_000), 5000)
  app.note(uploaded(11), 15_000)
  assert.equal(app.lag(15_000), 3000)
  app.note(uploaded(16), 15_000)
  assert.equal(app.lag(15_000), 0)
})

it('the lag stays that of the oldest commit however long the repository is away, in bounded memory', () => {
  const app = followed('app', started)
  for (let i = 0; i < 100_000; i += 1) app.note(commits(1, i + 2, 1000 + i), 0)
  assert.equal(app.lag(200_000), 199_000)
  app.note(uploaded(100_001), 0)
  assert.equal(app.lag(200_000), 0)
})

it('the status line tells of one database, or of several together, and of what is wrong', () => {
  const app = followed('app', started, commits(1234, 1235, 49_600))
  app.logBytes = () => 2048
  assert.equal(
    statusLine([app], { now: 50_000, rate: 120.4 }),
    'app: 1,234 commits, 120/s, lag 400 ms, log 2 KiB, nothing to upload yet',
  )
  const other = followed('other', started, commits(1, 2, 40_000), {
    kind: 'retrying',
    what: 'upload',
    message: 'no route',
    delayMs: 1000,
    failures: 3,
  })
  assert.equal(
    statusLine([app, other], { now: 50_000, rate: 0 }),
    '2 databases: 1,235 commits, lag 10 s, log 2 KiB, nothing to upload yet, other: uploads fail (3)',
  )
  app.note(uploaded(1235), 50_000)
  assert.match(statusLine([app], { now: 50_000, rate: 0 }), /lag 0 ms, log 2 KiB, uploaded \d\d:\d\d:\d\d$/)
})
