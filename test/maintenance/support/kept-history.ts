/** A database's history in a repository in memory, of which every state is known. */
import assert from 'node:assert/strict'
import { toLsn } from '../../../src/history/lsn.ts'
import { isReachable, reachableLsns } from '../../../src/history/reachable.ts'
import type { SegmentInfo } from '../../../src/history/segment-info.ts'
import { formatState } from '../../../src/history/state-checksum.ts'
import type { DatabaseRepository } from '../../../src/repository/database-repository.ts'
import type { BackupManifest } from '../../../src/repository/manifest.ts'
import { Repository } from '../../../src/repository/repository.ts'
import { MemoryStorage } from '../../../src/storage/memory.ts'
import type { BackupStorage } from '../../../src/storage/storage.ts'
import { restoreToMemory } from '../../scenarios/support/memory-restore.ts'
import { type KnownCommit, nextCommit, stateOf, storeCommits } from '../../support/log-history.ts'
import { type Random, seededRandom } from '../../support/random.ts'

export const day = 86_400_000
export const hour = 3_600_000
const pageSize = 512

export interface ManifestOptions {
  readonly id?: string
  readonly type?: BackupManifest['type']
  readonly segment?: SegmentInfo | undefined
  readonly damaged?: boolean
  readonly parent?: string
}

export class KeptHistory {
  readonly storage: MemoryStorage
  readonly random: Random
  /** By LSN. */
  readonly commits = new Map<number, KnownCommit>()
  /** Of the newest commit, in milliseconds since 1970. */
  time = Date.UTC(2026, 0, 1)
  #last: KnownCommit = { lsn: toLsn(0), time: this.time, pages: [] }
  #backups = 0

  private constructor(storage: MemoryStorage, seed: number) {
    this.storage = storage
    this.random = seededRandom(seed)
  }

  static async make(seed = 1): Promise<KeptHistory> {
    const storage = new MemoryStorage()
    const repository = await Repository.init(storage)
    const createdAt = new Date(0).toISOString()
    await repository.database('app').putRecord({ name: 'app', kind: 'sqlite', location: '/data/app.db', createdAt })
    return new KeptHistory(storage, seed)
  }

  get lsn(): number {
    return this.#last.lsn
  }

  async database(storage: BackupStorage = this.storage): Promise<DatabaseRepository> {
    return (await Repository.open(storage)).database('app')
  }

  async segments(): Promise<readonly SegmentInfo[]> {
    return (await (await this.database()).catalog()).segments
  }

  async keys(): Promise<string[]> {
    const keys: string[] = []
    for await (const { key } of this.storage.list('databases/app/')) if (!key.endsWith('/lease.json')) keys.push(key)
    return keys
  }

  /** What the end of a process does. */
  async freeLease(): Promise<void> {
    await this.storage.delete('databases/app/lease.json')
  }

  /** So many commits, evenly over a time, stored as one log. */
  async log(count: number, over = hour, epoch = 1): Promise<SegmentInfo> {
    const before = this.#last
    const commits = Array.from({ length: count }, () => this.#commit(over / count))
    return await storeCommits(await this.database(), before, commits, 'log', pageSize, epoch)
  }

  /** One commit, stored as what changed since the state at `parent`, by default the one before it. */
  async delta(over = hour, parent: number = this.#last.lsn, epoch = 1): Promise<SegmentInfo> {
    const commit = this.#commit(over)
    return await storeCommits(await this.database(), this.at(parent), [commit], 'delta', pageSize, epoch)
  }

  /** One commit, stored with everything. */
  async base(over = hour, epoch = 1): Promise<SegmentInfo> {
    const commit = this.#commit(over)
    return await storeCommits(await this.database(), this.at(0), [commit], 'base', pageSize, epoch)
  }

  /** What a writer that lost its lease stores all the same: another story of the LSNs after one. */
  async zombieLog(from: number, count: number, epoch: number): Promise<SegmentInfo> {
    let last = this.at(from)
    const commits = Array.from({ length: count }, () => (last = nextCommit(last, this.#fraction, pageSize)))
    return await storeCommits(await this.database(), this.at(from), commits, 'log', pageSize, epoch)
  }

  /** A manifest of a state, by default the newest. */
  async backup(lsn = this.lsn, { id, type = 'incremental', segment, damaged = false, parent }: ManifestOptions = {}) {
    const { pages, time } = this.at(lsn)
    this.#backups += 1
    const at = new Date(time).toISOString()
    const manifest: BackupManifest = {
      id: id ?? `b${String(this.#backups).padStart(11, '0')}`,
      database: 'app',
      type,
      lsn,
      parent: parent ?? null,
      name: type === 'snapshot' ? `snapshot-${this.#backups}` : null,
      tags: {},
      pinned: type === 'snapshot',
      capturedAt: at,
      createdAt: at,
      durationMs: 1,
      host: 'here',
      holdfastVersion: '0.1.0',
      location: '/data/app.db',
      source: {
        kind: 'sqlite',
        engineVersion: '3.53.4',
        pageSize,
        pageCount: pages.length,
        encoding: 'UTF-8',
        journalMode: 'wal',
        autoVacuum: 'none',
        userVersion: 0,
        applicationId: 0,
        schemaDigest: '0'.repeat(64),
        tables: [],
      },
      segment: segment?.key ?? null,
      segmentKind: segment === undefined || segment.kind === 'log' ? null : segment.kind,
      pages: 0,
      codec: 'zstd',
      databaseBytes: pages.length * pageSize,
      rawBytes: 0,
      storedBytes: segment?.bytes ?? 0,
      compressionRatio: 1,
      checksum: formatState(stateOf(pages)),
      validation: { level: 'quick', ok: !damaged, findings: [], foreignKeyViolations: 0, durationMs: 1 },
      damaged,
    }
    await (await this.database()).putManifest(manifest)
    return manifest
  }

  at(lsn: number): KnownCommit {
    if (lsn === 0) return { lsn: toLsn(0), time: 0, pages: [] }
    const commit = this.commits.get(lsn)
    assert.ok(commit, `there is no LSN ${lsn}`)
    return commit
  }

  /** Restores a state as a user would, and compares every byte. */
  async check(lsn: number): Promise<void> {
    const image = await restoreToMemory(await this.database(), { by: 'lsn', lsn })
    assert.ok(image.equals(Buffer.concat(this.at(lsn).pages)), `LSN ${lsn} is not what it was`)
  }

  async checkAll(lsns: Iterable<number>): Promise<void> {
    for (const lsn of lsns) await this.check(lsn)
  }

  async reachable(): Promise<number[]> {
    const ranges = reachableLsns(await this.segments())
    return [...this.commits.keys()].filter((lsn) => isReachable(ranges, toLsn(lsn)))
  }

  readonly #fraction = () => this.random.below(2 ** 30) / 2 ** 30

  #commit(over: number): KnownCommit {
    const next = nextCommit(this.#last, this.#fraction, pageSize)
    this.time += over
    const pages = next.pages.length === 0 ? [new Uint8Array(pageSize).fill(this.random.below(256))] : next.pages
    this.#last = { lsn: next.lsn, time: this.time, pages }
    this.commits.set(next.lsn, this.#last)
    return this.#last
  }
}
