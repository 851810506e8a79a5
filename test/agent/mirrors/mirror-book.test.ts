import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { MirrorConfig } from '../../../src/agent/config/config.ts'
import { MirrorBook } from '../../../src/agent/mirrors/mirror-book.ts'
import type { MirrorCompletion } from '../../../src/agent/mirrors/read-completion.ts'
import { mirrorFailureKey } from '../../../src/agent/notify/conditions/mirror.ts'
import { parseScheduleSpec } from '../../../src/agent/schedule/parse-schedule.ts'
import { HoldfastError } from '../../../src/errors.ts'
import { anAlert } from '../notify/support/alerts.ts'

const hour = 3_600_000
const start = Date.UTC(2026, 5, 1)
const name = 'file:///nas'
const signal = new AbortController().signal

const config: MirrorConfig = {
  to: '/nas',
  name,
  schedule: parseScheduleSpec({ type: 'mirror', every: '1d' }),
  graceMs: 0,
  maxDelete: undefined,
  hooks: [],
}

/** The book of one mirror, which was last complete an hour ago; what the mirror says, a test says. */
async function scene({ isNew = false } = {}) {
  let now = start
  let isFailing = false
  let isBeginning = false
  const runs: string[] = []
  const reads: PromiseWithResolvers<MirrorCompletion | undefined>[] = []
  const ended: string[] = []
  const book = new MirrorBook({
    journal: { operations: async () => [] },
    repository: { url: 'file:///backups', id: 'r' },
    scheduler: () => ({
      set: () => {},
      runNow: async (mirror, schedule, reason) => {
        runs.push(`${mirror} ${schedule} ${reason}`)
        throw new HoldfastError('STORAGE_TRANSIENT', 'It is away.')
      },
    }),
    isBeginning: () => isBeginning,
    notifier: {
      observe: (observations) => {
        for (const each of observations) if (each.what === 'absent') ended.push(each.key)
      },
      get firing() {
        return isFailing ? [anAlert({ key: mirrorFailureKey(name) })] : []
      },
    },
    metrics: { setMirror: () => {} },
    log: { debug: () => {} },
    now: () => now,
    read: () => {
      const read = Promise.withResolvers<MirrorCompletion | undefined>()
      reads.push(read)
      return read.promise
    },
  })
  await book.set([config])
  if (!isNew) {
    book.completed(name, start - hour)
    book.began(name, start)
  }
  return {
    book,
    reads,
    runs,
    begin: (is: boolean) => {
      isBeginning = is
    },
    completeAt: () => book.all[0]?.completeAt,
    isFailureOver: () => ended.includes(mirrorFailureKey(name)),
    fail: () => {
      isFailing = true
    },
    /** How often it is asked in a time, if it always answers the same. */
    asked: async (ms: number, answer: MirrorCompletion | undefined) => {
      const before = reads.length
      for (const end = now + ms; now < end; ) {
        now += 60_000
        const looking = book.look(signal)
        reads.at(-1)?.resolve(answer)
        await looking
      }
      return reads.length - before
    },
  }
}

describe('what is known of a mirror', () => {
  it('is what it says, asked for hourly while all is well', async () => {
    const { asked, completeAt } = await scene()
    assert.equal(await asked(6 * hour, { completeAt: start + 7 }), 6)
    assert.equal(completeAt(), start + 7)
  })

  it('is asked for more often while it fails, or is overdue', async () => {
    const failing = await scene()
    failing.fail()
    assert.equal(await failing.asked(hour, { completeAt: start - hour }), 6)
    const overdue = await scene()
    await overdue.asked(40 * hour, { completeAt: start - hour })
    assert.equal(await overdue.asked(hour, { completeAt: start - hour }), 6)
  })

  it('stays as it was while there is no mirror of this repository, or it cannot be asked', async () => {
    const { book, reads, asked, completeAt } = await scene()
    await asked(2 * hour, undefined)
    assert.equal(completeAt(), start - hour)
    const asking = book.freshen(1000, signal)
    reads.at(-1)?.reject(new HoldfastError('STORAGE_TRANSIENT', 'It is away.'))
    await asking
    assert.equal(completeAt(), start - hour)
  })

  it('is that of this agent, should it have brought it up to date while it was asked', async () => {
    const { book, reads, completeAt } = await scene()
    const asking = book.freshen(1000, signal)
    book.completed(name, start + 5)
    reads[0]?.resolve({ completeAt: start - hour })
    await asking
    assert.equal(completeAt(), start + 5)
  })

  it('ends the alert of a failure only if it was completed after this agent tried in vain', async () => {
    const { book, reads, isFailureOver } = await scene()
    book.began(name, start + 2 * hour)
    const ask = async (completeAt: number): Promise<void> => {
      const asking = book.freshen(1000, signal)
      reads.at(-1)?.resolve({ completeAt })
      await asking
    }
    await ask(start + hour)
    assert.equal(isFailureOver(), false)
    await ask(start + 3 * hour)
    assert.equal(isFailureOver(), true)
  })

  it('is not asked for again, nor waited for, as long as it does not answer', async () => {
    const { book, reads } = await scene()
    const first = book.freshen(0, signal)
    await first
    await book.freshen(600_000, signal)
    assert.equal(reads.length, 1)
    reads[0]?.resolve(undefined)
    await new Promise(setImmediate)
    await book.freshen(0, signal)
    assert.equal(reads.length, 2)
  })
})

describe('a mirror that was never complete', () => {
  const minute = 60_000

  it('is brought up to date as soon as the repository has what it gets first, and no more than once', async () => {
    const { asked, runs, begin } = await scene({ isNew: true })
    begin(true)
    await asked(5 * minute, undefined)
    assert.deepEqual(runs, [])
    begin(false)
    await asked(minute, undefined)
    assert.deepEqual(runs, [`${name} mirror-every-1d schedule`])
    await asked(hour, undefined)
    assert.equal(runs.length, 1, 'that it failed is told, and its schedule tries again')
  })

  it('is left alone if it says that somebody else has completed it', async () => {
    const { asked, runs, completeAt } = await scene({ isNew: true })
    await asked(hour, { completeAt: start - hour })
    assert.deepEqual([runs, completeAt()], [[], start - hour])
  })

  it('is left alone if its schedule came first', async () => {
    const { book, asked, runs, begin } = await scene({ isNew: true })
    begin(true)
    await asked(minute, undefined)
    book.began(name, start + minute)
    begin(false)
    await asked(minute, undefined)
    assert.deepEqual(runs, [])
  })
})
