import { setImmediate } from 'node:timers/promises'
import type { SchedulerClock } from '../../../../src/agent/schedule/scheduler-clock.ts'

/** A wall clock and a steady one, both turned by hand; timers go by the steady one, as the machine's do. */
export class FakeSchedulerClock implements SchedulerClock {
  wall: number
  chance = 0
  /** How often a timer went off. */
  wakes = 0
  #steady = 0
  #timers = new Map<number, { readonly at: number; readonly callback: () => void }>()
  #lastTimer = 0

  constructor(start: string) {
    this.wall = Date.parse(start)
  }

  get timers(): number {
    return this.#timers.size
  }

  now(): number {
    return this.wall
  }

  random(): number {
    return this.chance
  }

  after(milliseconds: number, callback: () => void): () => void {
    this.#lastTimer += 1
    const id = this.#lastTimer
    this.#timers.set(id, { at: this.#steady + milliseconds, callback })
    return () => this.#timers.delete(id)
  }

  /** Lets time go by; what a timer sets going settles before the next one. @param settle false: nothing that it starts has to be waited for */
  async pass(milliseconds: number, settle: () => boolean = () => true): Promise<void> {
    const end = this.#steady + milliseconds
    await quiet()
    for (;;) {
      const [id, next] = [...this.#timers].sort(([, a], [, b]) => a.at - b.at)[0] ?? []
      if (id === undefined || next === undefined || next.at > end) break
      this.#timers.delete(id)
      this.#go(next.at)
      this.wakes += 1
      next.callback()
      if (settle()) await quiet()
    }
    this.#go(end)
    await quiet()
  }

  async until(moment: string, settle?: () => boolean): Promise<void> {
    await this.pass(Date.parse(moment) - this.wall, settle)
  }

  /** The wall clock is set, or the machine slept: no timer notices. */
  jump(moment: string): void {
    this.wall = Date.parse(moment)
  }

  #go(steady: number): void {
    this.wall += steady - this.#steady
    this.#steady = steady
  }
}

/** Long enough for what does not wait for anything outside. */
async function quiet(): Promise<void> {
  for (let turn = 0; turn < 3; turn += 1) await setImmediate()
}
