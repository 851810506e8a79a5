import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import type { BackupResult } from '../../../src/backup/backup-options.ts'
import { createBackup } from '../../../src/backup/create-backup.ts'
import { deleteBackup } from '../../../src/backup/delete-backup.ts'
import { systemClock } from '../../../src/capture/clock.ts'
import type { RetentionPolicy } from '../../../src/history/retention.ts'
import { compactDatabase } from '../../../src/maintenance/compact/compact-database.ts'
import { type ExpireReport, expireDatabase } from '../../../src/maintenance/expire/expire-database.ts'
import { pinBackup, unpinBackup } from '../../../src/maintenance/pins/pin-backup.ts'
import type { UpkeepOptions } from '../../../src/maintenance/upkeep/upkeep-options.ts'
import type { DatabaseRepository } from '../../../src/repository/database-repository.ts'
import type { BackupManifest, BackupType } from '../../../src/repository/manifest.ts'
import { Repository } from '../../../src/repository/repository.ts'
import { sqlite } from '../../../src/source/sqlite/sqlite-source.ts'
import { MemoryStorage } from '../../../src/storage/memory.ts'
import { verifyRepository } from '../../../src/verify/verify-repository.ts'
import { MemoryFiles } from '../../capture/support/memory-files.ts'
import { createOracleDatabase } from '../../support/oracle.ts'
import type { Random } from '../../support/random.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { WriterProcess } from '../../support/writer-process.ts'
import { LogWitness } from './log-witness.ts'
import { type Doom, type Fate, MortalProcess } from './mortal-process.ts'
import { SegmentChanges } from './segment-changes.ts'
import { withDamage } from './upkeep-damage.ts'
import type { UpkeepTally } from './upkeep-storm.ts'
import { UpkeepWitness } from './upkeep-witness.ts'

const day = 86_400_000

/** What others may rightly answer to work that nobody interrupted. */
const refusals = ['BACKUP_NEEDED', 'BACKUP_PINNED', 'DATABASE_BUSY', 'NAME_TAKEN']

/** One small live database, over some weeks of its own time. */
export class UpkeepLife implements AsyncDisposable {
  readonly #folder = temporaryFolder()
  readonly #storage = new MemoryStorage()
  readonly #files = new MemoryFiles()
  readonly #random: Random
  readonly #tally: UpkeepTally
  readonly #witness: UpkeepWitness
  readonly #log: LogWitness
  /** How far its time is ahead of that on the wall, in milliseconds. */
  #ahead = day
  #process: MortalProcess | undefined
  #writer: WriterProcess | undefined
  #names = 0
  readonly #changes = new SegmentChanges()
  /** What it did last. */
  readonly #trace: string[] = []

  private constructor(random: Random, tally: UpkeepTally) {
    this.#random = random
    this.#tally = tally
    this.#witness = new UpkeepWitness(this.#folder.file('restored.db'), random)
    this.#log = new LogWitness(this.#path)
  }

  static async begin(random: Random, tally: UpkeepTally): Promise<UpkeepLife> {
    const life = new UpkeepLife(random, tally)
    createOracleDatabase(life.#path, {
      pageSize: random.pick([512, 1024, 4096]),
      autoVacuum: random.pick(['none', 'full', 'incremental']),
    })
    await Repository.init(life.#storage)
    const maintenancePercent = random.pick([0, 5])
    const autoCheckpoint = random.pick([0, 20, 1000])
    life.#writer = await WriterProcess.start({
      ...{ path: life.#path, seed: random.below(2 ** 32), rows: 60, pauseMs: 20, stamp: true },
      ...{ maintenancePercent, autoCheckpoint },
    })
    await life.#backUp('full')
    return life
  }

  get #path(): string {
    return this.#folder.file('app.db')
  }

  #now(): number {
    return Date.now() + this.#ahead
  }

  async step(): Promise<void> {
    const random = this.#random
    assert.ok(this.#writer?.isRunning, 'the writer failed')
    const what = random.below(100)
    if (what < 14) await this.#turnFollowing()
    else if (what < 34) await this.#write()
    else if (what < 50) await this.#backUp(random.pick<BackupType>(['incremental', 'incremental', 'snapshot', 'full']))
    else if (what < 72) await this.#expire()
    else if (what < 82) await this.#compact(this.#doom(120))
    else if (what < 89) await this.#pin()
    else if (what < 93) await this.#delete()
    else if (what < 96) await this.#verify()
    else await this.#die()
    if (random.chance(30)) this.#ahead += random.below(3 * day)
    const database = await this.#outside()
    this.#trace.push(...(await this.#changes.since(database)))
    await this.#adopt(database)
    await this.#witness.check(database)
    this.#tally.steps += 1
  }

  /** For whoever has to find out why it failed. */
  get trace(): string {
    return this.#trace.slice(-60).join('\n')
  }

  /** With nobody killed any more: everything that is kept, all of it. */
  async endInOrder(): Promise<void> {
    await this.#write()
    await this.#compact(undefined)
    await this.#process?.stop()
    const database = await this.#outside()
    await this.#adopt(database)
    const { kept } = this.#witness
    if (this.#random.chance(50))
      await withDamage(this.#storage, database, kept[this.#random.below(kept.length)] ?? 0, this.#random, () =>
        this.#upkeepBesideDamage(database),
      )
    await this.#witness.check(database, { all: true })
    assert.deepEqual((await verifyRepository(database.repository)).findings, [])
    this.#tally.states += this.#witness.states
    this.#tally.kept += this.#witness.kept.length
    this.#tally.restores += this.#witness.restores
  }

  /** It may refuse, or do what has nothing to do with the damage. */
  async #upkeepBesideDamage(database: DatabaseRepository): Promise<void> {
    this.#tally.damages += 1
    const policy = this.#policy()
    const now = this.#now()
    const { keep } = await expireDatabase(database, policy, { dryRun: true, now })
    try {
      await expireDatabase(database, policy, { now, graceMs: 0, limits: this.#limits() })
      await compactDatabase(database, { now, graceMs: 0, limits: this.#limits() })
    } catch (thrown) {
      assert.ok(thrown instanceof Error && 'code' in thrown, String(thrown))
      assert.ok(['INTEGRITY', 'FORMAT_TOO_NEW', 'STORAGE_CORRUPT'].includes(String(thrown.code)), thrown.stack)
      this.#tally.refusals += 1
    }
    await this.#witness.expired(database, now, policy.window ?? 0, idsOf(keep))
  }

  /** As somebody sees it who has nothing to do with its processes. */
  async #outside(): Promise<DatabaseRepository> {
    return (await Repository.open(this.#storage)).database('app')
  }

  async #adopt(database: DatabaseRepository): Promise<void> {
    await this.#witness.look(database)
    await this.#witness.adopt(database)
  }

  async #here(): Promise<MortalProcess> {
    this.#process ??= await MortalProcess.begin(this.#storage, this.#files)
    return this.#process
  }

  async #turnFollowing(): Promise<void> {
    const here = await this.#here()
    if (here.capture !== undefined) return await here.stop()
    const { rollUpEvery } = { rollUpEvery: this.#random.pick([4, 1_000_000]) }
    const fate = await this.#attempt('follow', () =>
      here.follow(sqlite(this.#path), {
        stateFolder: '/state',
        syncIntervalMs: 20,
        auditIntervalMs: this.#random.pick([0, 100]),
        handOff: this.#random.pick([
          { logBytes: 64 * 1024, ageMs: 200 },
          { logBytes: 1024 * 1024, ageMs: 5_000 },
        ]),
        rollUpEvery,
        clock: { ...systemClock, now: () => this.#now() },
      }),
    )
    if (fate !== 'died') this.#tally.follows += 1
  }

  async #write(): Promise<void> {
    await delay(20 + this.#random.below(150))
    const here = await this.#here()
    const { capture } = here
    if (capture === undefined) return
    const before = this.#log.look().seq
    const fate = await this.#attempt('sync', () => capture.sync(), undefined)
    if (fate !== 'died' && 'done' in fate) this.#witness.acknowledge(fate.done, before, this.#log.look().seq)
  }

  async #backUp(type: BackupType): Promise<void> {
    const here = await this.#here()
    this.#names += 1
    const name = type === 'snapshot' ? `snapshot-${this.#names}` : undefined
    const options = { type, name, busyTimeoutMs: 20_000 } as const
    const isFirst = this.#witness.backups.size === 0
    const fate = await this.#attempt<BackupResult>(
      'backup',
      () => here.capture?.backUp(options) ?? createBackup(sqlite(this.#path), here.repository, options),
      isFirst ? undefined : this.#doom(30),
    )
    if (fate === 'died' || !('done' in fate)) return
    this.#witness.made(fate.done.metadata)
    this.#tally.backups += 1
  }

  async #expire(): Promise<void> {
    const random = this.#random
    const policy = this.#policy()
    // Somebody's clock may be wrong.
    const now = this.#now() - (random.chance(4) ? 5 * day : 0)
    const graceMs = random.pick([0, 0, day, 3 * day])
    const outside = await this.#outside()
    await this.#adopt(outside)
    const expected = await expireDatabase(outside, policy, { dryRun: true, now })
    const options = { now, graceMs, limits: this.#limits() }
    const fate = await this.#upkeep<ExpireReport>('expire', options, this.#doom(120), (database, all) =>
      expireDatabase(database, policy, all),
    )
    const isDone = fate !== 'died' && 'done' in fate
    const kept = new Set(idsOf(isDone ? fate.done.keep : expected.keep))
    for (const id of this.#witness.pinned) assert.ok(kept.has(id), `backup ${id} is pinned and was let go`)
    await this.#witness.expired(outside, now, policy.window ?? 0, kept)
    this.#trace.push(
      `now ${new Date(now).toISOString()}, grace ${graceMs / day} d: ${JSON.stringify(policy)}, keeps ${[...kept]}`,
    )
    if (!isDone) return
    assert.deepEqual(idsOf(fate.done.keep), idsOf(expected.keep), 'a dry run told of something else')
    this.#tally.expiries += 1
    this.#tally.dropped += fate.done.drop.length
    this.#tally.merged += fate.done.merged.length
    this.#tally.deleted += fate.done.deleted.length
  }

  async #compact(doom: Doom | undefined): Promise<void> {
    const options = {
      now: this.#now(),
      graceMs: this.#random.pick([0, day]),
      limits: this.#limits(),
      rollUp: this.#random.chance(50) ? { minSegments: 2, growth: 1 } : {},
    }
    const fate = await this.#upkeep('compact', options, doom, (database, all) =>
      compactDatabase(database, { ...options, ...all }),
    )
    if (fate === 'died' || !('done' in fate)) return
    this.#tally.compactions += 1
    this.#tally.merged += fate.done.merged.length + fate.done.logs.merged
    this.#tally.deleted += fate.done.deleted.length + fate.done.logs.replaced
  }

  async #pin(): Promise<void> {
    const id = this.#anyBackup()?.id ?? ''
    const { database } = await this.#here()
    const pins = this.#random.chance(50)
    const fate = await this.#attempt('pin', () => (pins ? pinBackup : unpinBackup)(database, id), this.#doom(4))
    if (fate === 'died') await this.#witness.readPins(await this.#outside())
    else if (pins) this.#witness.pinned.add(id)
    else this.#witness.pinned.delete(id)
    this.#tally.pins += 1
  }

  async #delete(): Promise<void> {
    const backup = this.#anyBackup()
    if (backup === undefined) return
    const fate = await this.#upkeep('delete', {}, this.#doom(12), (database, { lease }) =>
      deleteBackup(database, backup.id, { lease }),
    )
    if (fate === 'died' || 'done' in fate) this.#witness.deleted(backup.id)
    if (fate !== 'died' && 'done' in fate) this.#tally.deletions += 1
  }

  async #verify(): Promise<void> {
    const { findings } = await verifyRepository((await this.#outside()).repository, {
      level: this.#random.pick(['data', 'data', 'metadata']),
    })
    assert.deepEqual(findings, [])
  }

  async #die(): Promise<void> {
    await this.#process?.die()
    this.#process = undefined
    this.#tally.deaths += 1
  }

  /** Under the capture's lease, if there is one. */
  async #upkeep<T>(
    what: string,
    options: UpkeepOptions,
    doom: Doom | undefined,
    work: (database: DatabaseRepository, options: UpkeepOptions) => Promise<T>,
  ): Promise<Fate<T>> {
    const here = await this.#here()
    const { capture } = here
    return await this.#attempt(
      what,
      () =>
        capture === undefined
          ? work(here.database, options)
          : capture.exclusively((database, lease) => work(database, { ...options, lease })),
      doom,
    )
  }

  async #attempt<T>(what: string, work: () => Promise<T>, doom?: Doom): Promise<Fate<T>> {
    const fate = await (await this.#here()).attempt(work, doom)
    const end = fate === 'died' ? fate : 'failed' in fate ? fate.failed.code : 'done'
    this.#trace.push(`${new Date(this.#now()).toISOString()} ${what}: ${end}`)
    if (fate === 'died') {
      this.#process = undefined
      this.#tally.deaths += 1
      this.#tally.diedIn.set(what, (this.#tally.diedIn.get(what) ?? 0) + 1)
    } else if ('failed' in fate && !refusals.includes(fate.failed.code)) {
      throw new Error(`${what} failed: ${fate.failed.code}`, { cause: fate.failed })
    }
    return fate
  }

  #doom(operations: number): Doom | undefined {
    if (!this.#random.chance(30)) return undefined
    return { after: this.#random.below(operations), moment: this.#random.pick(['before', 'after', 'midway']) }
  }

  #policy(): RetentionPolicy {
    const { below, pick } = this.#random
    return {
      last: 1 + below(3),
      daily: below(3),
      weekly: below(2),
      within: below(2) * day,
      window: pick([0, 0.2, 1, 3]) * day,
      maxBackups: pick([2, 4, 100]),
    }
  }

  #limits() {
    return { maxChain: 2 + this.#random.below(8), minBytes: 0, smallBase: this.#random.pick([0, 1e9]) }
  }

  #anyBackup(): BackupManifest | undefined {
    const all = [...this.#witness.backups.values()]
    return all[this.#random.below(all.length)]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process?.die()
    await this.#writer?.kill()
    this.#folder[Symbol.dispose]()
  }
}

function idsOf(kept: ExpireReport['keep']): string[] {
  return kept.map(({ backup }) => backup.id)
}
