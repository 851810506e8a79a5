import assert from 'node:assert/strict'
import { it } from 'node:test'
import { timeline } from '../../src/cli/format/timeline.ts'
import { pointsText } from '../../src/cli/present/points.ts'
import { stepTable } from '../../src/cli/present/show.ts'
import { toLsn } from '../../src/history/lsn.ts'
import type { Gap, Window } from '../../src/history/windows.ts'

const start = Date.parse('2026-03-01T12:00:00Z')

function window(from: number, to: number, fromSecond: number, toSecond: number): Window {
  const kind = from === to ? 'point' : 'continuous'
  const times = { fromTime: start + fromSecond * 1000, toTime: start + toSecond * 1000 }
  return { kind, fromLsn: toLsn(from), toLsn: toLsn(to), ...times }
}

function gapsBetween(windows: readonly Window[], reason: string): Gap[] {
  return windows.slice(1).map((next, i) => {
    const { toLsn: fromLsn, toTime: fromTime } = windows[i] ?? next
    return { fromLsn, toLsn: next.fromLsn, fromTime, toTime: next.fromTime, reason }
  })
}

it('the line of time shows windows, single states and gaps where they lie', () => {
  const [times, line] = timeline([window(1, 50, 0, 32), window(60, 60, 48, 48), window(70, 70, 64, 64)])
  assert.match(times ?? '', /^2026-03-01 .*\.000 .* {4}2026-03-01 .*:04\.000 /)
  assert.equal(line, `${'━'.repeat(33)}${'┄'.repeat(15)}●${'┄'.repeat(14)}●`)
  assert.equal(line?.length, 64)
  assert.deepEqual(timeline([window(1, 1, 0, 0)]), [])
})

it('the line of time shows a gap however short it is, and what is short beside it', () => {
  const lineOf = (...windows: readonly Window[]) => timeline(windows)[1]
  const hour = 3600
  const short = lineOf(window(1, 50, 0, hour), window(52, 90, hour + 1, 2 * hour))
  assert.match(short ?? '', /^━{30,32}┄━{30,32}$/)
  assert.match(lineOf(window(1, 50, 0, hour), window(52, 52, hour + 1, hour + 1)) ?? '', /^━{62}┄●$/)
  assert.match(lineOf(window(1, 1, 0, 0), window(3, 52, 1, hour)) ?? '', /^●┄━{62}$/)
  assert.match(lineOf(window(1, 2, 0, 1), window(4, 52, 2, hour)) ?? '', /^━┄━{62}$/)
  const several = [0, 1, 2, 3].map((n) => window(10 * n + 1, 10 * n + 9, n * hour, (n + 1) * hour - 1))
  assert.equal(lineOf(...several)?.match(/┄/g)?.length, 3)
  // More gaps than cells.
  const dense = Array.from({ length: 200 }, (_, n) => window(2 * n + 1, 2 * n + 2, 10 * n, 10 * n + 8))
  assert.match(lineOf(...dense) ?? '', /┄/)
  const states = Array.from({ length: 200 }, (_, n) => window(n + 1, n + 1, 10 * n, 10 * n))
  assert.equal(lineOf(...states), '●'.repeat(64))
})

it('the picture counts the commits of each window, and says why there are gaps', () => {
  const windows = [window(1, 50, 0, 10), window(52, 52, 70, 70)]
  const points = [{ lsn: toLsn(52), time: start + 70_000, backups: [] }]
  const text = pointsText('app', {
    windows,
    gaps: gapsBetween(windows, 'the follower was not running'),
    points,
    pauses: [],
  })
  assert.match(
    text,
    /● .* {2}LSN 1\n┃ every one of 49 commits, in 10 s\n● .* {2}LSN 50\n┆ 1 min: the follower was not running\n● .* {2}LSN 52\n\napp can be restored to 1 single state and to every commit of 1 window\./,
  )
})

it('a gap that the range begins or ends in is shown, and one that holds all of it is named', () => {
  const windows = [window(1, 5, 0, 10), window(7, 9, 70, 80)]
  const gaps = gapsBetween(windows, 'the spool was damaged')
  assert.match(
    pointsText('app', { windows: windows.slice(1), gaps, points: [], pauses: [] }),
    /\n┆ 1 min: the spool was damaged\n● .*LSN 7\n/,
  )
  assert.match(
    pointsText('app', { windows: windows.slice(0, 1), gaps, points: [], pauses: [] }),
    /LSN 5\n┆ 1 min: the spool was damaged\n/,
  )
  assert.equal(
    pointsText('app', { windows: [], gaps, points: [], pauses: [] }),
    'Nothing of app can be restored in this range. It lies in a gap: the spool was damaged.',
  )
})

it('many single states in a row, as of a database without a log, are counted', () => {
  const windows = Array.from({ length: 20 }, (_, i) => window(i + 1, i + 1, i * 60, i * 60))
  const points = windows.map(({ fromLsn: lsn, fromTime: time }) => ({ lsn, time, backups: [] }))
  const text = pointsText('app', {
    windows,
    gaps: gapsBetween(windows, 'the database has no write-ahead log'),
    points,
    pauses: [],
  })
  assert.match(
    text,
    /\n● .*LSN 1\n┆ 18 more single states in 19 min: the database has no write-ahead log\n● .*LSN 20\n\napp can be restored to 20 single states/,
  )
})

it('long runs of logs in a plan are one line', () => {
  const log = (from: number) => ({ kind: 'log', from, to: from + 10, bytes: 1024, key: `log-${from}` })
  const base = { kind: 'base', from: 0, to: 10, bytes: 4096, key: 'base' }
  assert.match(stepTable([base, log(10), log(20)]), /log +\(10, 20\] +1 KiB +log-10\nlog +\(20, 30\]/)
  const table = stepTable([base, log(10), log(20), log(30), log(40)])
  assert.match(table, /base +\(0, 10\] +4 KiB +base\n4 logs +\(10, 50\] +4 KiB +log-10 …$/)
})

it('pauses of a second and more are listed, the newest of many, and what can be restored of them', () => {
  const pause = (from: number, to: number, seconds: number) => ({
    ...{ fromLsn: toLsn(from), toLsn: toLsn(to), fromTime: start + from * 10_000 },
    toTime: start + from * 10_000 + seconds * 1000,
  })
  const windows = [window(1, 90, 0, 1000)]
  const text = (pauses: ReturnType<typeof pause>[]) => pointsText('app', { windows, gaps: [], points: [], pauses })
  assert.doesNotMatch(text([pause(1, 3, 0.999)]), /Not followed/)
  const several = text([1, 11, 21, 31, 41, 51].map((from) => pause(from, from + 2, 1)))
  assert.match(several, /\n\nNot followed for a while: .*\n {2}1 earlier pause: see --json\n/)
  assert.equal(several.match(/: LSN \d+ to \d+$/gm)?.length, 5)
  assert.match(text([pause(7, 8, 60)]), /: LSN 8\n/)
})
