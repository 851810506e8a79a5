/** A follower without what stands around it in a capture, for what is measured piece by piece. */
import { mkdirSync, rmSync } from 'node:fs'
import { BatchWriter } from '../../src/capture/batch-writer.ts'
import { PageHashTable } from '../../src/capture/page-hash-table.ts'
import { localFiles } from '../../src/capture/spool/local-files.ts'
import { toLsn } from '../../src/history/lsn.ts'
import type { CommitReceiver, DatabaseFollower } from '../../src/source/follower.ts'
import { sqlite } from '../../src/source/sqlite/sqlite-source.ts'

export interface Opened extends AsyncDisposable {
  readonly follower: DatabaseFollower
  readonly hashes: BigUint64Array
}

/** Follows from the database's present state. */
export async function openFollower(database: string): Promise<Opened> {
  const follower = await sqlite(database).openFollower({ busyTimeoutMs: 30_000 })
  const { start } = follower
  if (start.kind !== 'anew') throw new Error('There is nothing to go on from.')
  const hashes = new BigUint64Array(start.pageCount)
  for await (const batch of start.pages()) {
    batch.pages.forEach((page, at) => {
      hashes[page - 1] = batch.hashes[at] ?? 0n
    })
  }
  await start.begin(hashes)
  return { follower, hashes, [Symbol.asyncDispose]: () => follower[Symbol.asyncDispose]() }
}

/** As a capture does, but segments are counted and removed instead of uploaded. */
export class CountingWriter implements CommitReceiver {
  readonly #writer: BatchWriter
  bytes = 0
  segments = 0

  constructor({ follower, hashes }: Opened, folder: string) {
    mkdirSync(folder, { recursive: true })
    const table = new PageHashTable(hashes.slice())
    const end = { lsn: toLsn(1), time: Date.now(), state: table.state, pageCount: hashes.length }
    this.#writer = new BatchWriter(
      { end, pageSize: follower.pageSize, table },
      {
        place: { files: localFiles, folder, database: 'app', level: undefined },
        codec: 'zstd',
        maxBatchBytes: 64 << 20,
        now: Date.now,
        epoch: () => 1,
        position: () => follower.position,
        onGivenUp: async () => {},
        onSpooled: ({ path, info }) => {
          this.bytes += info.bytes
          this.segments += 1
          rmSync(path)
        },
        onClockStep: () => {},
      },
    )
  }

  pages(changed: Parameters<CommitReceiver['pages']>[0]): Promise<void> {
    return this.#writer.pages(changed)
  }

  commit(commit: Parameters<CommitReceiver['commit']>[0]): Promise<void> {
    return this.#writer.commit(commit)
  }

  async close(): Promise<void> {
    await this.#writer.close()
    if (this.#writer.failure !== undefined) throw this.#writer.failure
  }
}

/** Hands everything to all of them. */
export function tee(receivers: readonly CommitReceiver[]): CommitReceiver {
  return {
    pages: async (changed) => {
      for (const receiver of receivers) await receiver.pages(changed)
    },
    commit: async (commit) => {
      for (const receiver of receivers) await receiver.commit(commit)
    },
  }
}

/** Nobody can make patches of what comes out of it: every page is stored whole. */
export function withoutFormer(receiver: CommitReceiver): CommitReceiver {
  return {
    pages: (changed) => receiver.pages({ ...changed, hasFormer: new Uint8Array(changed.pages.length) }),
    commit: (commit) => receiver.commit(commit),
  }
}

/** Drains until nothing is left. @throws if a commit was missed */
export async function drainAll(
  follower: DatabaseFollower,
  receiver: CommitReceiver,
): Promise<{ commits: number; bytes: number }> {
  const total = { commits: 0, bytes: 0 }
  for (;;) {
    const { commits, bytes, lost } = await follower.drain(receiver)
    if (lost !== undefined) throw new Error(`Commits were missed: ${lost}.`)
    if (commits === 0) return total
    total.commits += commits
    total.bytes += bytes
  }
}
