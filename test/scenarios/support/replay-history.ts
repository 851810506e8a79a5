import assert from 'node:assert/strict'
import { reachableLsns, reachedSegments } from '../../../src/history/reachable.ts'
import { addHash, emptyState, removeHash, type StateChecksum } from '../../../src/history/state-checksum.ts'
import type { UsableSegment } from '../../../src/history/usable-segments.ts'
import type { DatabaseRepository } from '../../../src/repository/database-repository.ts'
import { pageHash } from '../../../src/util/page-hash.ts'
import { appliedCommits } from '../../support/applied-commits.ts'

export interface ReplayedState {
  readonly lsn: number
  readonly state: StateChecksum
  /** The whole database; changed in place by the next state. */
  readonly image: Buffer
}

/**
 * Every state of a history, in order, from the stored records alone: neither the planner nor the restore has a part in it. Each
 * is proved to hash to the checksum that is stored for it.
 */
export async function* replayHistory(database: DatabaseRepository): AsyncGenerator<ReplayedState> {
  const { segments } = await database.catalog()
  const reached = reachedSegments(segments)
  let image: Buffer = Buffer.alloc(0)
  let hashing = new Hashing()
  let at = 0
  let told = 0
  for (let next = nextFrom(reached, at); next !== undefined; next = nextFrom(reached, at)) {
    const { segment, upTo } = next
    const reader = await database.openSegment(segment)
    if (segment.from === 0) {
      image = Buffer.alloc(0)
      hashing = new Hashing()
    }
    assert.equal(reader.header.startState, hashing.state, `${segment.key} does not start at the state of LSN ${at}`)
    for await (const commit of appliedCommits(reader, image)) {
      image = commit.image
      hashing.take(commit.pages, image, reader.header.pageSize)
      assert.equal(hashing.state, commit.state, `LSN ${commit.lsn} in ${segment.key} does not hash to its state`)
      told += 1
      yield { lsn: commit.lsn, state: commit.state, image }
      if (commit.lsn === upTo) break
    }
    at = upTo
  }
  const restorable = reachableLsns(segments).reduce((sum, { first, last }) => sum + last - first + 1, 0)
  assert.equal(told, restorable, 'every state that can be restored was replayed')
}

/** What leads on from there, the furthest log first; or else the next state that is kept as a whole. */
function nextFrom(reached: readonly UsableSegment[], at: number): UsableSegment | undefined {
  const on = reached.filter(({ segment, upTo }) => segment.from === at && upTo > at)
  const logs = on.filter(({ segment }) => segment.kind === 'log')
  const furthest = logs.reduce<UsableSegment | undefined>(
    (best, log) => (log.upTo > (best?.upTo ?? at) ? log : best),
    undefined,
  )
  const nearest = (all: readonly UsableSegment[]) => all.toSorted((a, b) => a.upTo - b.upTo)[0]
  return furthest ?? nearest(on) ?? nearest(reached.filter(({ segment, upTo }) => segment.from === 0 && upTo > at))
}

class Hashing {
  readonly #hashes: bigint[] = []
  state = emptyState

  take(pages: readonly number[], image: Buffer, pageSize: number): void {
    for (const hash of this.#hashes.splice(image.length / pageSize)) this.state = removeHash(this.state, hash)
    for (const page of pages) {
      const former = this.#hashes[page - 1]
      if (former !== undefined) this.state = removeHash(this.state, former)
      const hash = pageHash(page, image.subarray((page - 1) * pageSize, page * pageSize))
      this.#hashes[page - 1] = hash
      this.state = addHash(this.state, hash)
    }
  }
}
