import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { ProgressLine } from '../../src/cli/json/schemas.ts'
import { BarReporter } from '../../src/cli/progress/bar-reporter.ts'
import { JsonReporter } from '../../src/cli/progress/json-reporter.ts'
import { barLine, plainLine } from '../../src/cli/progress/line.ts'
import { LineReporter } from '../../src/cli/progress/line-reporter.ts'
import type { Progress } from '../../src/util/progress.ts'

const mebibyte = 1024 * 1024
const copied = (done: number): Progress => ({ phase: 'copy', done, total: 100 * mebibyte, unit: 'bytes' })

/** A clock that only the test moves. */
function fakeClock() {
  let time = 1_000_000
  return {
    now: () => time,
    pass: (milliseconds: number) => {
      time += milliseconds
    },
  }
}

class Screen {
  readonly columns: number
  text = ''

  constructor(columns = 120) {
    this.columns = columns
  }

  write(text: string): void {
    this.text += text
  }

  /** What stands on the one line that is drawn. */
  get line(): string {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: what terminals are told
    return (this.text.split('\r').at(-1) ?? '').replaceAll(/\u001b\[[\d;]*[a-zA-Z]/g, '')
  }
}

describe('the bar', () => {
  it('stays away from work that takes less than a second, then shows part, rate and time left', () => {
    const { now, pass } = fakeClock()
    const screen = new Screen()
    const bar = new BarReporter(screen, now)
    const task = bar.task('app')
    task.onProgress(copied(0))
    pass(900)
    task.onProgress(copied(20 * mebibyte))
    assert.equal(screen.text, '')
    pass(1100)
    task.onProgress(copied(50 * mebibyte))
    assert.equal(screen.line, 'app copy  ████████████░░░░░░░░░░░░   50%  50 MiB of 100 MiB  25 MiB/s  2.0 s left')
    task.end()
    assert.equal(screen.line, '')
  })

  it('fits the terminal, however narrow', () => {
    const report = { ...copied(50 * mebibyte), elapsedMs: 2000, ratePerSecond: mebibyte, remainingMs: 50_000 }
    for (let width = 0; width < 100; width += 1) assert.ok(barLine('a-long-name', report, width).length <= width)
  })

  it('says at 80 columns how long it takes yet: the bar gets shorter before anything is left out', () => {
    const report = { ...copied(50 * mebibyte), elapsedMs: 2000, ratePerSecond: 125 * mebibyte, remainingMs: 130_000 }
    const line = barLine('a-long-name', report, 79)
    assert.match(line, /copy {2}█+░+ +50% {2}50 MiB of 100 MiB {2}125 MiB\/s {2}2 min 10 s left$/)
  })

  it('says how many others run, and is wiped for other text', () => {
    const { now, pass } = fakeClock()
    const screen = new Screen()
    const bar = new BarReporter(screen, now)
    const [one, two, three] = [bar.task('one'), bar.task('two'), bar.task('three')]
    for (const task of [one, two, three]) task.onProgress(copied(0))
    three.end()
    pass(2000)
    one.onProgress(copied(50 * mebibyte))
    pass(200)
    two.onProgress(copied(mebibyte))
    bar.clear()
    one.onProgress(copied(51 * mebibyte))
    assert.match(screen.line, /^\[2 running, 1 done\] two copy .* 1%/)
    bar.clear()
    assert.equal(screen.line, '')
  })

  it('is drawn at most ten times a second', () => {
    const { now, pass } = fakeClock()
    const screen = new Screen()
    const task = new BarReporter(screen, now).task('app')
    task.onProgress(copied(0))
    pass(1000)
    for (let call = 0; call < 1000; call += 1) {
      task.onProgress(copied(call))
      pass(1)
    }
    assert.equal(screen.text.split('\r').length - 1, 10)
  })
})

it('where there is no terminal, a line comes every ten seconds', () => {
  const { now, pass } = fakeClock()
  const lines: string[] = []
  const task = new LineReporter((line) => lines.push(line), now).task('app')
  for (let second = 0; second <= 25; second += 1) {
    task.onProgress(copied(second * mebibyte))
    pass(1000)
  }
  assert.deepEqual(lines, [
    'app: copy 10%, 10 MiB of 100 MiB, 1 MiB/s, 1 min 30 s left',
    'app: copy 20%, 20 MiB of 100 MiB, 1 MiB/s, 1 min 20 s left',
  ])
})

it('one of something is not several', () => {
  const report = {
    ...copied(0),
    unit: 'objects',
    elapsedMs: 0,
    ratePerSecond: undefined,
    remainingMs: undefined,
  } as const
  assert.equal(plainLine('app', { ...report, done: 0, total: 1 }), 'app: copy 0%, 0 of 1 object')
  assert.equal(plainLine('app', { ...report, done: 1, total: 2 }), 'app: copy 50%, 1 of 2 objects')
})

it('as JSON, each phase has its line, and there are at most four a second', () => {
  const { now, pass } = fakeClock()
  const lines: ProgressLine[] = []
  const task = new JsonReporter((line) => lines.push(line), now).task('app')
  for (let call = 0; call < 2000; call += 1) {
    task.onProgress(copied(call))
    pass(1)
  }
  task.onProgress({ phase: 'commit', done: 1, total: 1, unit: 'objects' })
  assert.equal(lines.filter(({ phase }) => phase === 'copy').length, 8)
  assert.deepEqual(lines.at(-1), {
    type: 'progress',
    object: 'app',
    phase: 'commit',
    done: 1,
    total: 1,
    unit: 'objects',
    ratePerSecond: null,
    secondsLeft: null,
  })
})
