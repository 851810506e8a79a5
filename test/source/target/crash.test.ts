/** The process that restores is killed, or a step of its fails: afterwards SQLite finds exactly the old or the new database. */
import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { openTarget } from '../../../src/source/sqlite/target/open-target.ts'
import { seededRandom, testSeed } from '../../support/random.ts'
import {
  assertSameBytes,
  contentOf,
  type DatabaseShape,
  makeDatabase,
  makeDatabaseWithLog,
  sidecarsOf,
  TestFolder,
  type WantedState,
  wantedFrom,
  writeWanted,
} from './fixtures.ts'
import type { ChildTask } from './restore-child.ts'

interface Case {
  readonly delta: boolean
  readonly pageSize: number
  readonly wal: boolean
  readonly oldRows: number
  readonly newRows: number
}

const seed = testSeed()

const cases: Case[] = [
  { delta: true, pageSize: 512, wal: false, oldRows: 100, newRows: 60 },
  { delta: true, pageSize: 512, wal: true, oldRows: 60, newRows: 100 },
  { delta: true, pageSize: 4096, wal: false, oldRows: 80, newRows: 250 },
  { delta: true, pageSize: 4096, wal: true, oldRows: 250, newRows: 80 },
  { delta: true, pageSize: 65536, wal: false, oldRows: 700, newRows: 300 },
  { delta: true, pageSize: 65536, wal: true, oldRows: 300, newRows: 700 },
  { delta: false, pageSize: 4096, wal: false, oldRows: 300, newRows: 200 },
  { delta: false, pageSize: 4096, wal: true, oldRows: 200, newRows: 300 },
]

for (const each of cases) {
  const { delta, pageSize, wal, oldRows, newRows } = each
  const name = `${delta ? 'delta' : 'replace'}, ${pageSize}-byte pages, ${wal ? 'WAL' : 'rollback'} mode, ${oldRows} to ${newRows} rows`

  test(`killed as its n-th step begins, for every n: ${name}`, async () => {
    let outcomes = ''
    for (let killAt = 0; ; killAt += 1) {
      using run = new CrashRun(each)
      const untouched = await run.restore(killAt)
      outcomes += run.assertOldOrNew()
      await run.assertNextRunCleansUp()
      if (untouched) break
    }
    assert.match(outcomes, /^o{2,}n+$/, 'first the old state, from some step on the new')
  })

  test(`a step that fails, for every step: ${name}`, async () => {
    for (let failAt = 0; ; failAt += 1) {
      using run = new CrashRun(each)
      let steps = 0
      let failed = ''
      try {
        await using target = await openTarget(run.path, {
          ...run.wanted,
          force: true,
          delta,
          heldBytes: 64 * 1024,
          onStep: (step) => {
            steps += 1
            if (steps - 1 !== failAt) return
            failed = step
            throw Object.assign(new Error('injected'), { code: 'ENOSPC' })
          },
        })
        await writeWanted(target, run.wanted)
        await target.prove({ state: run.wanted.state, level: 'none', rowCounts: false })
        await target.commit()
      } catch (error) {
        assert.equal(error instanceof Error && 'code' in error && error.code, 'DISK_FULL', String(error))
        run.assertNoTemporaryFile()
        assert.equal(run.assertOldOrNew(), afterRename.has(failed) ? 'n' : 'o', failed)
        continue
      }
      assert.equal(run.assertOldOrNew(), 'n')
      break
    }
  })
}

/** Steps that come after the new file is in place. */
const afterRename = new Set(['sync-folder', 'discard-sidecars'])

test(`killed at a random moment (HOLDFAST_SEED=${seed})`, async () => {
  const random = seededRandom(seed)
  const seen = new Set<string>()
  // On a fast machine most would be done before they are killed.
  let withinMs = 250
  for (let round = 0; round < 24; round += 1) {
    const each = cases[random.below(cases.length)]
    assert.ok(each)
    using run = new CrashRun({ ...each, oldRows: each.oldRows * 8, newRows: each.newRows * 8 })
    await run.restore(undefined, random.below(Math.ceil(withinMs)))
    const left = run.assertOldOrNew()
    seen.add(left)
    withinMs *= left === 'n' ? 0.7 : 1.3
    await run.assertNextRunCleansUp()
  }
  assert.ok(seen.has('o'))
})

/** One old database, one restore over it in another process. */
class CrashRun implements Disposable {
  readonly #folder = new TestFolder()
  readonly #case: Case
  readonly path: string
  readonly wanted: WantedState
  /** Bytes of the old database once its log is folded in, and what SQLite reads from it. */
  readonly #old: { readonly bytes: Buffer; readonly content: string }

  constructor(each: Case) {
    this.#case = each
    this.path = this.#folder.file('app.db')
    const old: DatabaseShape = { pageSize: each.pageSize, wal: each.wal, rows: each.oldRows, seed: 2 }
    const make = each.wal ? makeDatabaseWithLog : makeDatabase
    make(this.path, old)
    const twin = this.#folder.file('twin.db')
    writeFileSync(twin, readFileSync(this.path))
    if (each.wal) writeFileSync(`${twin}-wal`, readFileSync(`${this.path}-wal`))
    this.#old = { content: contentOf(twin), bytes: readFileSync(twin) }
    makeDatabase(this.#source, { pageSize: each.pageSize, wal: each.wal, rows: each.newRows, seed: 1 })
    this.wanted = wantedFrom(this.#source)
  }

  get #source(): string {
    return this.#folder.file('source.db')
  }

  /** True if the process ended by itself. */
  async restore(killAt: number | undefined, afterMs?: number): Promise<boolean> {
    const task: ChildTask = { source: this.#source, target: this.path, delta: this.#case.delta, killAt }
    const child = fork(new URL('./restore-child.ts', import.meta.url), [JSON.stringify(task)])
    const exit = once(child, 'exit')
    await once(child, 'message')
    if (afterMs !== undefined) {
      await Promise.race([exit, delay(afterMs)])
      child.kill('SIGKILL')
    }
    const [code, signal] = await exit
    assert.ok(signal === 'SIGKILL' || code === 0, `the child ended with ${code ?? signal}`)
    return signal === null
  }

  assertOldOrNew(): 'o' | 'n' {
    const content = contentOf(this.path)
    const outcome = content === this.#old.content ? 'o' : 'n'
    // By now SQLite has rolled back and recovered, so the files themselves must be equal.
    assertSameBytes(readFileSync(this.path), outcome === 'o' ? this.#old.bytes : this.wanted.bytes)
    assert.deepEqual(sidecarsOf(this.path), [])
    return outcome
  }

  assertNoTemporaryFile(): void {
    assert.deepEqual(
      readdirSync(this.#folder.path).filter((name) => name.includes('.holdfast-')),
      [],
    )
  }

  async assertNextRunCleansUp(): Promise<void> {
    await using target = await openTarget(this.#folder.file('other.db'), { pageSize: 512, pageCount: 0 })
    await target.prove({ state: 0n, level: 'none', rowCounts: false })
    await target.commit()
    this.assertNoTemporaryFile()
  }

  [Symbol.dispose](): void {
    this.#folder[Symbol.dispose]()
  }
}
