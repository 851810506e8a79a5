import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Alert } from '../../../src/agent/notify/alert.ts'
import { HungWorkers } from '../../../src/agent/worker/hung-workers.ts'
import { WorkerReplaced } from '../../../src/agent/worker/worker-replaced.ts'

const minute = 60_000
const hour = 60 * minute
const notSilent = { what: 'absent', key: 'agent/silent' } as const

function scene() {
  let time = 0
  const ticks = { value: 100 as number | undefined }
  const killed: number[] = []
  const lines: string[] = []
  let replaced = 0
  const firing: Alert[] = []
  const hung = new HungWorkers({
    now: () => time,
    log: { warn: (message) => void lines.push(message), error: (message) => void lines.push(message) },
    metrics: {
      workerReplaced: () => {
        replaced += 1
      },
    },
    notifier: { firing },
    kill: (pid, reason) => {
      if (pid === 666) throw new Error('Not allowed.')
      assert.ok(reason instanceof WorkerReplaced)
      killed.push(pid)
    },
    cpuTime: () => ticks.value,
  })
  const look = (pid: number, silentMs: number) => hung.look([{ pid, silentMs }])
  return {
    hung,
    look,
    killed,
    firing,
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
    assert.deepEqual(look(7, 9 * minute), [notSilent])
    const [silent, told, ...more] = look(7, 11 * minute)
    assert.deepEqual([silent, more], [notSilent, []], 'it is told of once')
    assert.equal(told?.what === 'happened' && told.condition.key, 'agent/replaced')
    assert.deepEqual([killed, replaced()], [[7], 1])
    assert.deepEqual(lines, [], 'the alert is in the log')
  })

  it('is in the log by itself while the alert of another one is on', () => {
    const { look, lines, firing } = scene()
    const [, told = assert.fail()] = look(7, 11 * minute)
    assert.ok(told.what === 'happened')
    firing.push({ ...told.condition, state: 'firing', incident: 'x', at: 0, since: 0, reminder: 0, times: 1 })
    look(8, 21 * minute)
    assert.equal(lines.length, 1)
    assert.match(lines[0] ?? '', /^Worker process 8 had not answered for 21 min and was ended\.$/)
  })

  it('is given an hour while it works, or where nobody tells whether it does', () => {
    const { look, killed, ticks } = scene()
    look(7, minute)
    ticks.value = 101
    const [told] = look(7, 59 * minute)
    assert.deepEqual(killed, [])
    assert.equal(told?.what === 'present' && told.condition.key, 'agent/silent')
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
    const told = look(666, hour).map((each) => each.what === 'present' && each.condition.key)
    assert.deepEqual(told, ['agent/silent'])
    assert.match(lines.join(), /could not be ended\. Not allowed/)
    assert.equal(replaced(), 0)
  })
})
