import type { Capture } from '../../../src/capture/capture.ts'
import type { CaptureEvent } from '../../../src/capture/capture-events.ts'
import { followDatabase } from '../../../src/capture/follow-database.ts'
import type { FollowOptions } from '../../../src/capture/follow-options.ts'
import type { DatabaseRepository } from '../../../src/repository/database-repository.ts'
import { Repository } from '../../../src/repository/repository.ts'
import { MemoryStorage } from '../../../src/storage/memory.ts'
import { checkHistory } from './check-history.ts'
import { FakeClock } from './fake-clock.ts'
import { FakeDatabase } from './fake-database.ts'
import { Fuse } from './fuse.ts'
import { fusedStorage } from './fused-storage.ts'
import { MemoryFiles } from './memory-files.ts'

/** A database, a repository and a disk, and captures that come and go. */
export class Rig {
  readonly clock = new FakeClock()
  readonly storage = new MemoryStorage()
  readonly files = new MemoryFiles()
  readonly database = new FakeDatabase(this.clock)
  readonly events: CaptureEvent[] = []
  isAway = false
  /** Of each operation of the storage. */
  latencyMs = 0

  static async make(): Promise<Rig> {
    const rig = new Rig()
    await Repository.init(rig.storage)
    return rig
  }

  async repository(): Promise<DatabaseRepository> {
    return (await Repository.open(this.storage)).database('app')
  }

  async follow(options: FollowOptions = {}, fuse = new Fuse(), afterEffect = false): Promise<Capture> {
    const latency = async () => {
      if (this.latencyMs > 0) await this.clock.sleep(this.latencyMs)
    }
    const storage = fusedStorage(this.storage, fuse, { isAway: () => this.isAway, afterEffect, latency })
    const repository = await Repository.open(storage)
    return await followDatabase(this.database, repository, {
      stateFolder: '/state',
      syncIntervalMs: 100,
      clock: this.clock,
      files: this.files.as(fuse),
      onEvent: (event) => this.events.push(event),
      auditIntervalMs: 0,
      ...options,
    })
  }

  /** What the death of a process does: this one is still there. */
  async freeLease(): Promise<void> {
    await this.storage.delete('databases/app/lease.json')
  }

  async check(): Promise<Map<number, number>> {
    return await checkHistory(await this.repository(), this.database.truth)
  }

  /** Lets both clocks go on until something has come about; compression and files take real time. */
  async until(isSo: () => boolean): Promise<void> {
    const deadline = performance.now() + 60_000
    while (!isSo()) {
      if (performance.now() > deadline) throw new Error(`It never came about: ${isSo}`)
      await this.clock.sleep(300)
    }
  }

  of<K extends CaptureEvent['kind']>(kind: K): Extract<CaptureEvent, { kind: K }>[] {
    return this.events.filter((event): event is Extract<CaptureEvent, { kind: K }> => event.kind === kind)
  }
}
