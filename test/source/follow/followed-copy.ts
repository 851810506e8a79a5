import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { formatState } from '../../../src/history/state-checksum.ts'
import type {
  ChangedPages,
  CommitReceiver,
  DatabaseFollower,
  DrainResult,
  FollowPosition,
} from '../../../src/source/follower.ts'
import { lockPage } from '../../../src/util/lock-page.ts'
import { pageHash } from '../../../src/util/page-hash.ts'
import { checkOracle } from '../../support/oracle.ts'

/**
 * A copy of a database that is kept by nothing but a follower's commits, in memory. It checks the contract of
 * {@link CommitReceiver} on the way: pages ascend, former pages are what the copy holds, states add up.
 */
export class FollowedCopy implements CommitReceiver {
  readonly pageSize: number
  image: Buffer
  commits = 0
  /** Former pages that were not to be had although the page existed. */
  withoutFormer = 0
  /** Called after each commit. */
  onCommit: (() => void | Promise<void>) | undefined
  #state = 0n
  #hashes: bigint[] = []
  #batches: ChangedPages[] = []

  constructor(pageSize: number) {
    this.pageSize = pageSize
    this.image = Buffer.alloc(0)
  }

  /** Takes the state that a follower starts anew from, and lets it follow. */
  static async begin(follower: DatabaseFollower): Promise<FollowedCopy> {
    const copy = new FollowedCopy(follower.pageSize)
    await copy.beginAnew(follower)
    return copy
  }

  async beginAnew(follower: DatabaseFollower): Promise<void> {
    const { start } = follower
    assert.equal(start.kind, 'anew')
    if (start.kind !== 'anew') return
    const image = Buffer.alloc(start.pageCount * start.pageSize)
    for await (const { pages, values } of start.pages()) image.set(values, ((pages[0] ?? 1) - 1) * start.pageSize)
    this.adopt(image)
    await start.begin(this.hashes)
    assert.equal(follower.position.state, formatState(this.#state))
  }

  /** Takes these bytes for the state. */
  adopt(image: Buffer): void {
    this.image = image
    this.#recount()
  }

  get pageCount(): number {
    return this.image.length / this.pageSize
  }

  get hashes(): BigUint64Array {
    return BigUint64Array.from(this.#hashes)
  }

  page(page: number): Buffer {
    return this.image.subarray((page - 1) * this.pageSize, page * this.pageSize)
  }

  pages(batch: ChangedPages): void {
    const { pages, values, former, hasFormer, hashes } = batch
    assert.equal(values.length, pages.length * this.pageSize)
    assert.equal(former.length, values.length)
    let last = this.#batches.at(-1)?.pages.at(-1) ?? 0
    for (const [index, page] of pages.entries()) {
      assert(page > last, 'pages ascend, each once')
      last = page
      const slice = (bytes: Uint8Array) => bytes.subarray(index * this.pageSize, (index + 1) * this.pageSize)
      assert.equal(hashes[index], pageHash(page, slice(values)))
      if (hasFormer[index] === 1) assert(this.page(page).equals(slice(former)), `former content of page ${page}`)
      else if (page <= this.pageCount) this.withoutFormer++
    }
    this.#batches.push({ ...batch, values: Buffer.from(values), former: Buffer.from(former) })
  }

  async commit(commit: { pageCount: number; state: bigint; seenAt: number }): Promise<void> {
    const grown = Buffer.alloc(commit.pageCount * this.pageSize)
    this.image.copy(grown)
    this.image = grown
    const formerCount = this.#hashes.length
    for (let page = commit.pageCount + 1; page <= formerCount; page++) this.#count(page, 0n)
    this.#hashes.length = commit.pageCount
    for (const { pages, values } of this.#batches) {
      for (const [index, page] of pages.entries()) {
        const value = values.subarray(index * this.pageSize, (index + 1) * this.pageSize)
        this.image.set(value, (page - 1) * this.pageSize)
        this.#count(page, pageHash(page, value))
      }
    }
    this.#batches = []
    this.commits++
    assert.equal(commit.state, this.#state, 'state checksum')
    assert(Math.abs(commit.seenAt - Date.now()) < 3_600_000)
    await this.onCommit?.()
  }

  /** Forgets pages of a commit that was not completed. */
  dropOpenCommit(): void {
    this.#batches = []
  }

  /** Proves that the copy is exactly one commit's state; returns that commit's number. */
  check(file: string): number {
    writeFileSync(file, this.image)
    try {
      const counted = this.#state
      this.#recount()
      assert.equal(counted, this.#state, 'a full recount gives the same state')
      return checkOracle(file)
    } finally {
      for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true })
    }
  }

  #count(page: number, hash: bigint): void {
    this.#state = BigInt.asUintN(64, this.#state - (this.#hashes[page - 1] ?? 0n) + hash)
    this.#hashes[page - 1] = hash
  }

  #recount(): void {
    this.#state = 0n
    this.#hashes = []
    for (let page = 1; page <= this.pageCount; page++) {
      const hash = page === lockPage(this.pageSize) ? 0n : pageHash(page, this.page(page))
      this.#hashes.push(hash)
      this.#state = BigInt.asUintN(64, this.#state + hash)
    }
  }
}

/** Drains until nothing is left; for when nobody writes. */
export async function drainAll(follower: DatabaseFollower, copy: FollowedCopy): Promise<void> {
  let result: DrainResult
  do {
    result = await follower.drain(copy)
    assert.equal(result.lost, undefined)
  } while (result.commits > 0)
}

export interface Kept {
  readonly position: FollowPosition
  readonly hashes: BigUint64Array
}

/** What a follower's owner keeps over a restart. */
export function keep(follower: DatabaseFollower, copy: FollowedCopy): Kept {
  return { position: JSON.parse(JSON.stringify(follower.position)), hashes: copy.hashes }
}
