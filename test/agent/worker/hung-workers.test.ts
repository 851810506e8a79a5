import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { HungWorkers } from '../../../src/agent/worker/hung-workers.ts'

const minute = 60_000
const hour = 60 * minute

function scene() {
  let time = 0
  const ticks = { value: 100 as number | undefined }
  const killed: number[] = []
  const lines: string[] = []
  let replaced = 0
  const hung = new HungWorkers({
    now: () => time,
    log: { warn: (message) => void lines.push(message), error: (message) => void lines.push(message) },
    metrics: {
      workerReplaced: () => {
        replaced += 1
      },
    },
    kill: (pid) => {
      if (pid === 666) throw new Error('Not allowed.')
      killed.push(pid)
    },
    cpuTime: () => ticks.value,
  })
  const look = (pid: number, silentMs: number) => hung.end([{ pid, silentMs }])
  return {
    hung,
    look,
    killed,
    lines,
    ticks,
    replaced: () => replaced,
    pass: (milliseconds: number) => {
      time += milliseconds
    },
  }
}

describe('a worker that hangs', () => {
  it('is ended when it has been silent for ten minutes, counted and told', () => {
    const { look, killed, lines, replaced } = scene()
    assert.deepEqual(look(7, 9 * minute), [])
    const [told] = look(7, 11 * minute)
    assert.equal(told?.what === 'happened' && told.condition.key, 'agent/replaced')
    assert.deepEqual([killed, replaced()], [[7], 1])
    assert.match(lines.join(), /^Worker process 7 had not answered for 11/)
  })

  it('is given an hour while it works, or where nobody tells whether it does', () => {
    const { look, killed, ticks } = scene()
    look(7, minute)
    ticks.value = 101
    look(7, 59 * minute)
    assert.deepEqual(killed, [])
    look(7, 61 * minute)
    assert.deepEqual(killed, [7])
    ticks.value = undefined
    look(8, minute)
    look(8, 59 * minute)
    assert.deepEqual(killed, [7])
  })

  it('again within a day is given twice as long each time, up to six hours', () => {
    const { look, killed, pass } = scene()
    const limits: number[] = []
    for (let pid = 1; pid <= 8; pid += 1) {
      let silentMs = 0
      while (killed.length < pid) {
        silentMs += minute
        look(pid, silentMs)
      }
      limits.push(silentMs / minute)
      pass(hour)
    }
    assert.deepEqual(limits, [11, 21, 41, 81, 161, 321, 361, 361])
    pass(25 * hour)
    look(9, 11 * minute)
    assert.equal(killed.at(-1), 9)
  })

  it('and cannot be ended is in the log', () => {
    const { look, lines, replaced } = scene()
    assert.deepEqual(look(666, hour), [])
    assert.match(lines.join(), /could not be ended\. Not allowed/)
    assert.equal(replaced(), 0)
  })
})
