import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { dispatch } from '../../../src/agent/notify/delivery/rate-limit.ts'
import { anAlert, start } from './support/alerts.ts'

const limit = { messages: 4, perMs: 1000 }
const alerts = (count: number) => Array.from({ length: count }, (_, i) => anAlert({ key: String(i) }))

test('few alerts are sent one by one, many in one message', () => {
  assert.deepEqual(dispatch(alerts(3), [], start, limit), { do: 'send', alerts: alerts(3).slice(0, 1) })
  assert.deepEqual(dispatch(alerts(4), [], start, limit), { do: 'send', alerts: alerts(4) })
  const generous = { messages: 1000, perMs: 1000 }
  assert.deepEqual(dispatch(alerts(6), [], start, generous), { do: 'send', alerts: alerts(6) })
})

test('the last message that is allowed takes all that wait, and then there is a pause', () => {
  const sentAt = [start - 1000, start - 900, start - 800, start - 100]
  assert.deepEqual(dispatch(alerts(2), sentAt, start, limit), { do: 'send', alerts: alerts(2) })
  assert.deepEqual(dispatch(alerts(2), [...sentAt, start], start, limit), { do: 'wait', until: start + 100 })
  assert.deepEqual(dispatch(alerts(2), [...sentAt, start], start + 100, limit), { do: 'send', alerts: alerts(2) })
})

test('a clock that was set back does not block a channel', () => {
  const sentAt = [1, 2, 3, 4].map((n) => start + n * 1_000_000)
  assert.equal(dispatch(alerts(1), sentAt, start, limit).do, 'send')
})

test('however alerts come, there are never more messages in a stretch than allowed, and all are sent', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(600), fc.nat(9)), { minLength: 1, maxLength: 40 }), (arrivals) => {
      let now = start
      let waiting = alerts(0)
      const sentAt: number[] = []
      const sendAll = (until: number) => {
        while (waiting.length > 0) {
          const next = dispatch(waiting, sentAt, now, limit)
          if (next.do === 'wait') {
            assert.ok(next.until > now)
            if (next.until > until) return
            now = next.until
          } else {
            assert.ok(next.alerts.length > 0)
            sentAt.push(now)
            waiting = waiting.slice(next.alerts.length)
          }
        }
      }
      for (const [passes, count] of arrivals) {
        sendAll(now + passes)
        now += passes
        waiting = [...waiting, ...alerts(count)]
      }
      sendAll(Number.POSITIVE_INFINITY)
      assert.deepEqual(waiting, [])
      for (const [i, at] of sentAt.entries()) assert.ok(at - (sentAt[i - limit.messages] ?? -Infinity) >= limit.perMs)
    }),
  )
})
