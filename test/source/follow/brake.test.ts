import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Brake } from '../../../src/source/sqlite/follow/brake.ts'

/** A write lock that can be had or not, and notes when it was taken and given back. */
class FakeLock {
  readonly changes: string[] = []
  #mayBeHad = true
  #isHeld = false

  deny(): void {
    this.#mayBeHad = false
  }

  allow(): void {
    this.#mayBeHad = true
  }

  lock(): boolean {
    assert(!this.#isHeld, 'it is taken once at a time')
    this.changes.push(this.#mayBeHad ? 'held' : 'denied')
    this.#isHeld = this.#mayBeHad
    return this.#mayBeHad
  }

  unlock(): void {
    if (this.#isHeld) this.changes.push('free')
    this.#isHeld = false
  }
}

function pass(context: TestContext, milliseconds: number): void {
  for (let passed = 0; passed < milliseconds; passed++) context.mock.timers.tick(1)
}

test('writers are held up and let go on in turn', (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] })
  const lock = new FakeLock()
  using _ = new Brake(lock, { heldMs: 6, freeMs: 10 })
  assert.deepEqual(lock.changes, ['held'])
  pass(context, 6)
  assert.deepEqual(lock.changes, ['held', 'free'])
  pass(context, 9)
  assert.equal(lock.changes.length, 2)
  pass(context, 7)
  assert.deepEqual(lock.changes, ['held', 'free', 'held', 'free'])
})

test('a lock that is not to be had is tried again soon', (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] })
  const lock = new FakeLock()
  lock.deny()
  using _ = new Brake(lock, { heldMs: 6, freeMs: 10 })
  pass(context, 2)
  lock.allow()
  pass(context, 1)
  assert.deepEqual(lock.changes, ['denied', 'denied', 'denied', 'held'])
})

test('in the end the lock is given back, and not taken again', (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] })
  const lock = new FakeLock()
  new Brake(lock, { heldMs: 6, freeMs: 10 })[Symbol.dispose]()
  pass(context, 50)
  assert.deepEqual(lock.changes, ['held', 'free'])
})
