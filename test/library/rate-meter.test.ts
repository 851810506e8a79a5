import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { RateMeter } from '../../src/util/rate-meter.ts'

function meterWithClock() {
  const clock = { time: 1_000_000 }
  const meter = new RateMeter(() => clock.time)
  const copy = (done: number, total?: number) => meter.measure({ phase: 'copy', done, total, unit: 'bytes' })
  return { clock, meter, copy }
}

describe('rate and time left', () => {
  it('are unknown at first, then follow from what was done', () => {
    const { clock, copy } = meterWithClock()
    assert.deepEqual(copy(0, 1000), {
      phase: 'copy',
      done: 0,
      total: 1000,
      unit: 'bytes',
      elapsedMs: 0,
      ratePerSecond: undefined,
      remainingMs: undefined,
    })
    clock.time += 1000
    const report = copy(200, 1000)
    assert.deepEqual([report.elapsedMs, report.ratePerSecond, report.remainingMs], [1000, 200, 4000])
  })

  it('follow a change of speed within some seconds', () => {
    const { clock, copy } = meterWithClock()
    let done = 0
    const run = (seconds: number, rate: number) => {
      for (let tick = 0; tick < seconds * 20; tick++) {
        clock.time += 50
        done += rate / 20
        copy(done, 1e9)
      }
      return copy(done, 1e9).ratePerSecond ?? 0
    }
    assert.ok(Math.abs(run(20, 1000) - 1000) < 1)
    assert.ok(Math.abs(run(6, 100) - 100) < 1)
    assert.ok(Math.abs(run(6, 5000) - 5000) < 1)
  })

  it('begin anew with each phase', () => {
    const { clock, meter, copy } = meterWithClock()
    copy(0, 1000)
    clock.time += 1000
    copy(1000, 1000)
    const report = meter.measure({ phase: 'verify', done: 0, total: 10, unit: 'objects' })
    assert.deepEqual([report.ratePerSecond, report.remainingMs, report.elapsedMs], [undefined, undefined, 1000])
  })

  it('never say that less than nothing is left, nor divide by a standstill', () => {
    const { clock, copy } = meterWithClock()
    copy(100, 100)
    clock.time += 10_000
    assert.deepEqual([copy(100, 200).ratePerSecond, copy(100, 200).remainingMs], [0, undefined])
    clock.time += 1000
    assert.equal(copy(300, 200).remainingMs, 0)
    assert.equal(copy(300).remainingMs, undefined)
  })
})
