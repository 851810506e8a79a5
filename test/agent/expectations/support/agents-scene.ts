import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { AgentLog } from '../../../../src/agent/agent-log.ts'
import type { FollowConfig } from '../../../../src/agent/config/config.ts'
import { OtherAgents } from '../../../../src/agent/expectations/other-agents.ts'
import { RecordKeeper } from '../../../../src/agent/expectations/record-keeper.ts'
import { Notifier } from '../../../../src/agent/notify/notifier.ts'
import { parseScheduleSpec } from '../../../../src/agent/schedule/parse-schedule.ts'
import type { ScheduleInput } from '../../../../src/agent/schedule/schedule-input.ts'
import { systemClock } from '../../../../src/capture/clock.ts'
import { type ErrorCode, HoldfastError } from '../../../../src/errors.ts'
import { writeDocument } from '../../../../src/repository/documents.ts'
import { leaseKey } from '../../../../src/repository/layout.ts'
import { Repository } from '../../../../src/repository/repository.ts'
import { MemoryStorage } from '../../../../src/storage/memory.ts'
import { ObserveStorage } from '../../../../src/storage/observe/observe-storage.ts'
import type { GetOptions, OperationOptions } from '../../../../src/storage/storage.ts'
import { currentProcess } from '../../../../src/util/process-identity.ts'
import { temporaryFolder } from '../../../support/temporary-folder.ts'
import { databaseConfig } from '../../support/database-config.ts'

export const hour = 3_600_000

/** A database of an agent, which makes a full backup of it so often. */
export const found = (name: string, ...more: readonly ScheduleInput[]) => {
  const path = `/srv/${name}.db`
  const schedules = [{ type: 'full', every: 'daily' } as const, ...more].map(parseScheduleSpec)
  return { name, path, config: databaseConfig({ source: { kind: 'path', path, name }, schedules }) }
}

const signal = new AbortController().signal

/** Two agents, of which one goes on: by a clock of their own. */
export async function agentsScene() {
  const folder = temporaryFolder()
  const written: string[] = []
  const faulty = new UnreadableStorage()
  const storage = new ObserveStorage(faulty, ({ direction, key }) => {
    if (direction === 'sent') written.push(key)
  })
  const repository = await Repository.init(storage)
  let now = Date.now()
  const clock = { ...systemClock, now: () => now }
  const lines: string[] = []
  const log = new AgentLog(
    { level: 'debug', format: 'text' },
    (line) => void lines.push(line),
    () => now,
  )
  const agent = async (number: number, databases: ReturnType<typeof found>[]) => {
    const deleted = new Set<string>()
    const letGo: string[] = []
    const made = new Map<string, number>()
    const underWay = new Set<string>()
    let isInUse = false
    const notifier = await Notifier.open({ folder: join(folder.path, String(number)), channels: [], clock })
    const owner = {
      id: `0b9e4c1e-0000-4000-8000-00000000000${number}`,
      host: `db${number}`,
      config: '/etc/holdfast.yaml',
    }
    const others = new OtherAgents({
      repository,
      keeper: new RecordKeeper(repository.storage, owner),
      notifier,
      log,
      now: () => now,
      own: () => databases,
      deleted: () => deleted,
      runs: () => ({
        madeAt: (database, action) => made.get(`${action} ${database}`),
        isUnderWay: (database, action) => underWay.has(`${action} ${database}`),
      }),
      letGo: async (name) => {
        faulty.refuse(leaseKey(name))
        letGo.push(name)
        return isInUse ? 'in-use' : 'freed'
      },
    })
    return {
      notifier,
      owner,
      look: () => others.look(signal),
      keys: () => notifier.firing.map(({ key }) => key),
      databases,
      deleted,
      made,
      underWay,
      letGo,
      use: (inUse: boolean) => {
        isInUse = inUse
      },
      changed: () => others.changed(),
    }
  }
  const first = await agent(1, [found('mine')])
  const second = await agent(2, [found('theirs')])
  return {
    repository,
    unreadable: faulty.unreadable,
    written,
    lines,
    first,
    second,
    pass: (milliseconds: number) => {
      now += milliseconds
    },
    now: () => now,
    async [Symbol.asyncDispose]() {
      await first.notifier[Symbol.asyncDispose]()
      await second.notifier[Symbol.asyncDispose]()
      await rm(folder.path, { recursive: true, force: true })
    },
  }
}

export const follow: FollowConfig = {
  syncIntervalMs: 1_000,
  maxBatchBytes: 1_000_000,
  deltaIntervalMs: 60_000,
  enableWal: false,
  handOff: { logBytes: 1_000_000, ageMs: 60_000 },
  auditIntervalMs: 0,
  spoolLimitBytes: 1_000_000,
}

/** A backup of a database at that time, as far as a listing tells. */
export async function backUp(repository: Repository, name: string, at: number): Promise<void> {
  const time = new Date(at).toISOString().replace(/[-:.]/g, '')
  await repository.storage.put(`databases/${name}/backups/${time}-full-abcdefghijkl.json`, Buffer.from('{}'))
}

/** As a follower that was killed leaves it. */
export async function leaveLease(repository: Repository, name: string, ago: number): Promise<void> {
  const database = repository.database(name)
  const time = (at: number) => new Date(at).toISOString()
  await database.putRecord({ name, kind: 'sqlite', location: `/srv/${name}.db`, createdAt: time(Date.now() - ago) }, {})
  await writeDocument(database.storage, 'lease', leaseKey(name), {
    epoch: 1,
    released: false,
    lsn: 1,
    pending: null,
    nonce: 'abc',
    owner: { ...currentProcess(), pid: 4_194_303 },
    purpose: 'follow',
    acquiredAt: time(Date.now() - ago),
    expiresAt: time(Date.now() + hour),
  })
}

/** Refuses to read, and to list, what lies there. */
class UnreadableStorage extends MemoryStorage {
  readonly unreadable = new Map<string, ErrorCode>()

  refuse(key: string): void {
    const code = this.unreadable.get(key)
    if (code !== undefined) throw new HoldfastError(code, `It cannot be read: ${code}.`, { object: key })
  }

  override async *get(key: string, options?: GetOptions) {
    this.refuse(key)
    yield* super.get(key, options)
  }

  /** Of what a listing shows, only that it may not be shown matters. */
  override async *list(prefix: string, options?: OperationOptions) {
    for await (const object of super.list(prefix, options)) {
      if (this.unreadable.get(object.key) === 'STORAGE_DENIED') this.refuse(object.key)
      yield object
    }
  }
}
