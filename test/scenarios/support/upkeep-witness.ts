import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { toHoldfastError } from '../../../src/errors.ts'
import { toLsn } from '../../../src/history/lsn.ts'
import { planRestore } from '../../../src/history/plan.ts'
import { isReachable, latestPoint, reachableLsns, reachedSegments } from '../../../src/history/reachable.ts'
import type { SegmentInfo } from '../../../src/history/segment-info.ts'
import { acknowledgedSegments } from '../../../src/repository/acknowledged.ts'
import { openChain } from '../../../src/repository/chain.ts'
import type { DatabaseRepository } from '../../../src/repository/database-repository.ts'
import { readDocument } from '../../../src/repository/documents.ts'
import { leaseKey } from '../../../src/repository/layout.ts'
import { leaseDocument } from '../../../src/repository/lease-document.ts'
import type { BackupManifest } from '../../../src/repository/manifest.ts'
import { readRetention, withPin } from '../../../src/repository/retention-record.ts'
import { checkOracle } from '../../support/oracle.ts'
import type { Random } from '../../support/random.ts'
import { restoreToMemory } from './memory-restore.ts'

interface KnownState {
  readonly state: bigint
  /** Milliseconds since 1970. */
  readonly time: number
  /** One of a log's commits. */
  readonly isFollowed: boolean
  /** Digest of its bytes and number of its commit, of those that were restored when they were new. */
  readonly bytes?: { readonly digest: string; readonly seq: number }
}

/** Of so many new states one is restored, and remembered byte for byte. */
const sampledOneIn = 6
/** At most so many at a look: on a busy machine a follower stores faster than they could be restored. */
const sampledAtOnce = 12
/** Restored after every step. */
const restoresAStep = 2
const chainsAStep = 10

/** Remembers every state that could ever be restored, and which of them nobody may have let go. */
export class UpkeepWitness {
  readonly #target: string
  readonly #random: Random
  readonly #seen = new Set<string>()
  readonly #states = new Map<number, KnownState>()
  /** States that the window keeps, or that no expiry has judged yet. */
  #promised = new Set<number>()
  readonly backups = new Map<string, BackupManifest>()
  readonly pinned = new Set<string>()
  /** Of each acknowledged state, between which commits of the oracle it must be. */
  readonly #bounds = new Map<number, { readonly atLeast: number; readonly atMost: number }>()
  #sampled = 0
  restores = 0

  constructor(target: string, random: Random) {
    this.#target = target
    this.#random = random
  }

  get states(): number {
    return this.#states.size
  }

  get kept(): number[] {
    return [...new Set([...this.#promised, ...[...this.backups.values()].map(({ lsn }) => lsn)])].sort((a, b) => a - b)
  }

  acknowledge(lsn: number, atLeast: number, atMost: number): void {
    this.#bounds.set(lsn, { atLeast, atMost })
  }

  made(backup: BackupManifest): void {
    this.backups.set(backup.id, backup)
    if (backup.pinned) this.pinned.add(backup.id)
  }

  /** What is new in the repository is promised from now on; what is known must not have changed. */
  async look(database: DatabaseRepository): Promise<void> {
    this.#sampled = 0
    await whileItChanges(database, () => this.#look(database))
  }

  async #look(database: DatabaseRepository): Promise<void> {
    const { segments, backups, problems } = await database.catalog()
    assert.deepEqual(problems, [])
    const begun = await begunBackup(database)
    for (const { segment, upTo } of reachedSegments(segments)) {
      if (this.#seen.has(segment.key)) continue
      // Of a backup that died before its manifest, whose state was promised to nobody: the next one clears it away.
      const isNamed = backups.some((backup) => backup.segment === segment.key)
      if (segment.key === begun && !isNamed && !segments.some(({ from }) => from === segment.to)) continue
      for await (const { lsn, state, time } of statesOf(database, segment, upTo)) {
        const known = this.#states.get(lsn)
        if (known !== undefined) assert.equal(state, known.state, `LSN ${lsn} is another state in ${segment.key}`)
        else await this.#remember(database, lsn, { state, time, isFollowed: segment.kind === 'log' })
      }
      this.#seen.add(segment.key)
    }
  }

  /**
   * A backup that was never acknowledged, or that an interrupted expiry did not come to, counts as long as it is listed; not one that such
   * an expiry has condemned.
   */
  async adopt(database: DatabaseRepository): Promise<void> {
    const { backups } = await database.catalog()
    const { dropping } = await readRetention(database)
    for (const backup of backups) if (!this.backups.has(backup.id) && !dropping.includes(backup.id)) this.made(backup)
    await this.readPins(database)
  }

  /** Who died while pinning was told nothing. */
  async readPins(database: DatabaseRepository): Promise<void> {
    const record = await readRetention(database)
    for (const backup of this.backups.values()) {
      if (withPin(backup, record).pinned) this.pinned.add(backup.id)
      else this.pinned.delete(backup.id)
    }
  }

  /**
   * An expiry has come to its end, or was broken off: this is what it may not have touched. The newest state is, unless a follower has
   * stored a later one meanwhile.
   */
  async expired(database: DatabaseRepository, now: number, windowMs: number, kept: Iterable<string>): Promise<void> {
    // What a follower stored right before it was judged as well.
    await this.look(database)
    const newest = Math.max(
      latestPoint(acknowledgedSegments(await database.catalog()))?.lsn ?? 0,
      ...this.#states.keys(),
    )
    const isYoung = (lsn: number) => (this.#states.get(lsn)?.time ?? 0) >= now - windowMs
    this.#promised = new Set([...this.#promised].filter((lsn) => lsn === newest || isYoung(lsn)))
    const ids = new Set(kept)
    for (const id of this.backups.keys()) if (!ids.has(id)) this.#forget(id)
  }

  /** Its commits stay, if it was followed. */
  deleted(id: string): void {
    const lsn = this.backups.get(id)?.lsn ?? 0
    this.#forget(id)
    const isNeeded = [...this.backups.values()].some((backup) => backup.lsn === lsn)
    if (!isNeeded && this.#states.get(lsn)?.isFollowed !== true) this.#promised.delete(lsn)
  }

  #forget(id: string): void {
    this.backups.delete(id)
    this.pinned.delete(id)
  }

  /** By names, all that is kept; by indexes and by bytes, some of it. */
  async check(database: DatabaseRepository, { all = false } = {}): Promise<void> {
    await whileItChanges(database, () => this.#check(database, all))
  }

  async #check(database: DatabaseRepository, all: boolean): Promise<void> {
    const { segments, backups } = await database.catalog()
    const { trash } = await readRetention(database)
    // What is in the trash is as good as gone.
    const reachable = reachableLsns(segments.filter(({ key }) => trash[key] === undefined))
    const { kept } = this
    for (const lsn of kept) {
      if (isReachable(reachable, toLsn(lsn))) continue
      const { time, isFollowed } = this.#known(lsn)
      const holders = [...this.backups.values()].flatMap((backup) => (backup.lsn === lsn ? backup.id : []))
      const what = `${isFollowed ? 'followed' : 'captured'} at ${new Date(time).toISOString()}, backups: ${holders.join()}`
      const there = segments.map(({ kind, from, to, epoch }) => `${kind} (${from}, ${to}] ${epoch}`).join(', ')
      assert.fail(
        `LSN ${lsn} is kept and cannot be restored (${what}). There are: ${there}. Trash: ${JSON.stringify(trash)}`,
      )
    }
    const listed = new Set(backups.map(({ id }) => id))
    for (const id of this.backups.keys()) assert.ok(listed.has(id), `backup ${id} is kept and has vanished`)
    for (const lsn of all ? kept : this.#some(kept, chainsAStep)) {
      const { state } = await openChain(database, planRestore(segments, toLsn(lsn)))
      assert.equal(state, this.#known(lsn).state, `LSN ${lsn} has changed`)
    }
    const sampled = kept.filter((lsn) => this.#states.get(lsn)?.bytes !== undefined)
    for (const lsn of all ? sampled : this.#some(sampled, restoresAStep)) {
      const { digest } = await this.#restore(database, lsn)
      assert.equal(digest, this.#known(lsn).bytes?.digest, `LSN ${lsn} has other bytes than at first`)
    }
  }

  #known(lsn: number): KnownState {
    return this.#states.get(lsn) ?? assert.fail(`LSN ${lsn} was never seen`)
  }

  async #remember(database: DatabaseRepository, lsn: number, state: KnownState): Promise<void> {
    this.#promised.add(lsn)
    const bounds = this.#bounds.get(lsn)
    if (bounds === undefined && (this.#sampled >= sampledAtOnce || this.#random.below(sampledOneIn) > 0)) {
      this.#states.set(lsn, state)
      return
    }
    this.#sampled += 1
    const { digest, image } = await this.#restore(database, lsn)
    // Its header says that it uses a log, which the copy does not have; SQLite would make one.
    image.fill(1, 18, 20)
    writeFileSync(this.#target, image)
    const seq = checkOracle(this.#target)
    if (bounds !== undefined) {
      const isBetween = seq >= bounds.atLeast && seq <= bounds.atMost
      assert.ok(isBetween, `LSN ${lsn} is commit ${seq}, and not between ${bounds.atLeast} and ${bounds.atMost}`)
    }
    this.#states.set(lsn, { ...state, bytes: { digest, seq } })
  }

  async #restore(database: DatabaseRepository, lsn: number): Promise<{ digest: string; image: Buffer }> {
    const image = await restoreToMemory(database, { by: 'lsn', lsn })
    this.restores += 1
    return { digest: createHash('sha256').update(image).digest('hex'), image }
  }

  #some(lsns: readonly number[], count: number): number[] {
    if (lsns.length <= count) return [...lsns]
    return Array.from({ length: count }, () => lsns[this.#random.below(lsns.length)] ?? 0)
  }
}

/** A log that a follower merges into a larger one while it is being read is there no longer: then everything is listed anew. */
async function whileItChanges(database: DatabaseRepository, read: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      return await read()
    } catch (thrown) {
      const { object } = toHoldfastError(thrown)
      const isLog = object?.endsWith('-log.hfs') ?? false
      const { segments } = await database.catalog()
      if (!isLog || segments.some(({ key }) => key === object)) throw thrown
    }
  }
}

async function begunBackup(database: DatabaseRepository): Promise<string | null> {
  const key = leaseKey(database.name)
  return (await readDocument(database.storage, 'lease', leaseDocument, key))?.pending ?? null
}

async function* statesOf(database: DatabaseRepository, segment: SegmentInfo, upTo: number) {
  const reader = await database.openSegment(segment)
  const { to: lsn, endState: state, lastTime: time } = reader.end
  if (segment.kind !== 'log') yield { lsn, state, time }
  else for await (const commit of reader.commits()) if (commit.lsn <= upTo) yield commit
}
