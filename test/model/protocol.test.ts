import assert from 'node:assert/strict'
import { test } from 'node:test'
import { compiler, search, searchForCycles, spin } from './spin.ts'

/** Searched through in seconds; docs/protocol.md says why it is enough to find what can go wrong. */
const small = { COMMITS: 2, LOG_FRAMES: 2, MAX_SALT: 2 }
/** The application of most users: several processes, each of which also checkpoints. Sharing one mark, they meet soonest. */
const crowd = { ...small, WRITERS: 2, ATTEMPTS: 1, CHECKPOINT_ATTEMPTS: 1, MARKS: 2 }
const parts = { skip: spin.skip || compiler.skip }

type Sizes = Readonly<Record<string, number>>

const worlds: readonly (readonly [string, Sizes])[] = [
  ['a writer and a process that checkpoints in every mode', small],
  ['two writers, each trying once', { ...small, WRITERS: 2, ATTEMPTS: 1, CHECKPOINTER: 0 }],
  ['two writers and a process that checkpoints, each trying once', crowd],
  ['a foreign reader', { ...small, FOREIGN_READER: 1, CHECKPOINTER: 0 }],
  ['a follower that is killed and goes on', { ...small, MARKS: 2, CRASHES: 1 }],
  [
    'a follower that is killed, and a log that is reset meanwhile',
    { COMMITS: 4, LOG_FRAMES: 3, MAX_SALT: 3, MARKS: 2, CRASHES: 1, CHECKPOINTER: 0 },
  ],
]

for (const [name, sizes] of worlds) {
  test(`the protocol keeps every commit and never deadlocks: ${name}`, parts, async (context) => {
    const { errors, isComplete, states, unreached, output } = await search(sizes)
    assert.equal(errors, 0, output)
    assert(isComplete, output)
    context.diagnostic(`${states} states, all of them`)
    // What each side can do was done: nothing holds only because nothing happened. Nobody finds every mark taken, nor does a
    // writer take mark 0 for its frames; with the write lock the follower rolls without anything to take; and without another
    // process that checkpoints, no checkpoint is in the way of one, nor holds mark 0.
    assert((unreached.get('Follower') ?? Number.NaN) <= (sizes['CHECKPOINTER'] !== 0 ? 6 : 12), output)
    if (sizes['CHECKPOINTER'] !== 0) assert.equal(unreached.get('Checkpointer'), 0, output)
    assert((unreached.get('Writer') ?? Number.NaN) <= 3, output)
  })
}

const resetTooSoon = /drainedAt==\(resetAt\+mxFrame\)/
const fileRanAhead = /fileAt<=drainedAt/

const broken: readonly (readonly [string, Sizes, RegExp])[] = [
  ['a moment without a reader loses a log', { BROKEN_NO_READER: 1, ONLY_RESETS: 1 }, resetTooSoon],
  ['a moment without a reader lets the file run ahead', { BROKEN_NO_READER: 1 }, fileRanAhead],
  ['an older reader that ends before all is taken lets the file run ahead', { BROKEN_ROLL: 1 }, fileRanAhead],
  ['a hand-off that does not drain under the lock loses a log', { BROKEN_HANDOFF: 1, ONLY_RESETS: 1 }, resetTooSoon],
  ['a hand-off that does not drain under the lock lets the file run ahead', { BROKEN_HANDOFF: 1 }, fileRanAhead],
  ['frames beyond the horizon are of no commit', { BROKEN_HORIZON: 1 }, /drainedAt</],
  ['a hand-off that gives up must unlock', { BROKEN_RELEASE: 1 }, /writeLock/],
  ['after an absence the file may be ahead', { BROKEN_RESUME: 1, CRASHES: 1 }, fileRanAhead],
  [
    'that the log was reset once does not tell where the former one ended',
    { BROKEN_RESET_PROOF: 1, COMMITS: 3, MARKS: 2, CRASHES: 1, CHECKPOINTER: 0 },
    /endOf\[ownSalt\]/,
  ],
  [
    'the file does not tell where a log ended once the next one is copied into it',
    { BROKEN_COPIED: 1, COMMITS: 3, MARKS: 2, CRASHES: 1 },
    /fileAt==resetAt/,
  ],
  ["SQLite's WAL-reset bug, before 3.51.3", { SQLITE_BEFORE_3_51_3: 1 }, /nBackfill<=mxFrame/],
  [
    'a moment without a reader, beside two writers and a process that checkpoints',
    { ...crowd, BROKEN_NO_READER: 1, ONLY_RESETS: 1 },
    resetTooSoon,
  ],
  ['an older reader that ends before all is taken, beside them', { ...crowd, BROKEN_ROLL: 1 }, fileRanAhead],
  [
    'a hand-off that does not drain under the lock, beside them',
    { ...crowd, BROKEN_HANDOFF: 1, ONLY_RESETS: 1 },
    resetTooSoon,
  ],
  ['a hand-off that gives up must unlock, beside them', { ...crowd, BROKEN_RELEASE: 1 }, /writeLock/],
]

for (const [name, variant, expected] of broken) {
  test(`the checker rejects a broken protocol: ${name}`, parts, async () => {
    const { errors, violation = '', output } = await search({ ...small, ...variant })
    assert.equal(errors, 1, output)
    assert.match(violation, expected)
  })
}

/** SQLite has five marks. With only one beside mark 0, our own readers could never raise it. */
const alive = { ...small, MARKS: 3, CHECKPOINTER: 0 }

for (const [formula, name] of [
  ['drains', 'at last, everything that was committed is taken'],
  ['hands_off', 'once writers pause, at last a hand-off completes'],
] as const) {
  test(`the protocol comes to an end: ${name}`, parts, async (context) => {
    const { errors, isComplete, states, output } = await searchForCycles(formula, alive)
    assert.equal(errors, 0, output)
    assert(isComplete, output)
    context.diagnostic(`${states} states, all of them`)
  })
}

for (const [name, variant] of [
  ['a reader that is never renewed', { BROKEN_STUCK: 1 }],
  ['one mark for all', { MARKS: 2 }],
  ['a lock that is not given back', { BROKEN_RELEASE: 1 }],
] as const) {
  test(`the checker rejects a hand-off that never completes: ${name}`, parts, async () => {
    const { errors, violation = '', output } = await searchForCycles('hands_off', { ...alive, ...variant })
    assert.equal(errors, 1, output)
    assert.match(violation, /acceptance cycle/)
  })
}
