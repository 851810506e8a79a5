import { randomBytes } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Repository } from '../../repository/repository.ts'
import { probeKey, removeProbeLeftovers } from '../../storage/probe-leftovers.ts'
import type { BackupStorage, StorageCapabilities } from '../../storage/storage.ts'
import { formatDuration } from '../format/duration.ts'
import { counted } from '../format/text.ts'
import { formatFullTime, formatTime } from '../format/time.ts'
import { type Check, checking, note, ok, warning } from './check.ts'
import { checkSpace } from './environment.ts'

/** Clocks may differ by this much without harm; leases allow for 30 s. */
const clockToleranceMs = 5000

export async function checkRepository(
  repository: Repository,
  now: () => number,
  signal: AbortSignal,
): Promise<readonly Check[]> {
  const { storage } = repository
  const each = (name: string, work: () => Promise<readonly Check[]>) => checking(name, signal, work)
  const local = storage.url.startsWith('file:') ? fileURLToPath(storage.url) : undefined
  return [
    ok(
      'repository',
      `${repository.url}, id ${repository.id}, made ${formatFullTime(Date.parse(repository.createdAt))}`,
    ),
    ...(await each('storage', async () => [await checkCapabilities(repository, now, signal)])),
    ...(await each('clock', async () => [await checkClock(storage, now, signal)])),
    ...(local === undefined
      ? []
      : [
          await checkSpace('repository space', local),
          ...(await each('temporary files', async () => [await checkLeftovers(local)])),
        ]),
    ...(await each('databases', async () => {
      const names = await repository.databaseNames({ signal })
      if (names.length === 0) return [note('databases', 'none yet')]
      const check = (name: string) => each(`database ${name}`, () => checkDatabase(repository, name, now, signal))
      return (await Promise.all(names.map(check))).flat()
    })),
  ]
}

async function checkCapabilities(
  { storage, capabilities: recorded }: Repository,
  now: () => number,
  signal: AbortSignal,
): Promise<Check> {
  const { probeStorage } = await import('../../storage/probe.ts')
  const found = await probeStorage(storage)
  await removeProbeLeftovers(storage, now(), { signal })
  const lost = (Object.keys(recorded) as (keyof StorageCapabilities)[]).filter((name) => recorded[name] && !found[name])
  if (lost.length === 0) return ok('storage', 'writes, reads, lists and deletes as it did at init')
  return warning(
    'storage',
    `no longer does what it did at init: ${lost.join(', ')}`,
    'See whether the storage, or what lies between here and there, was changed.',
  )
}

async function checkClock(storage: BackupStorage, now: () => number, signal: AbortSignal): Promise<Check> {
  const key = probeKey(randomBytes(8), 'clock')
  const before = now()
  const { modifiedAt } = await storage.put(key, Buffer.from('clock'), { signal })
  const after = now()
  await storage.delete(key)
  const difference = modifiedAt < before ? before - modifiedAt : modifiedAt > after ? modifiedAt - after : 0
  if (difference <= clockToleranceMs) return ok('clock', `${formatFullTime(after)}; the storage's agrees`)
  return warning(
    'clock',
    `differs from the storage's by ${formatDuration(difference)}`,
    'Let a time service keep both.',
  )
}

/** Listing the repository has already removed what dead processes left; what remains belongs to running ones, or other machines. */
async function checkLeftovers(folder: string): Promise<Check> {
  const files = await readdir(folder, { recursive: true })
  const temporary = files.filter((file) => /(^|[\\/])\.tmp-[^\\/]+@[^\\/]*$/.test(file))
  if (temporary.length === 0) return ok('temporary files', 'none left over')
  return note(
    'temporary files',
    `${counted(temporary.length, 'file')} of backups that are running, here or on another machine; what was abandoned is removed after a day`,
  )
}

async function checkDatabase(
  repository: Repository,
  name: string,
  now: () => number,
  signal: AbortSignal,
): Promise<readonly Check[]> {
  const { knownLease } = await import('../../repository/known-lease.ts')
  const database = repository.database(name)
  const label = `database ${name}`
  const catalog = await database.catalog({ signal })
  const damaged: string[] = []
  const lease = await knownLease(database, { signal, onDamage: ({ message }) => void damaged.push(message) })
  const newest = catalog.backups.findLast(({ damaged }) => !damaged)
  const checks: Check[] = catalog.problems.map(({ key, problem }) =>
    warning(label, `${key}: ${problem}`, 'Run "holdfast verify".'),
  )
  for (const message of damaged)
    checks.push(warning(label, message, 'No backup needs it: the next that is made, or who follows it, replaces it.'))
  if (newest === undefined)
    checks.push(warning(label, 'has no backup of a sound state', `Make one: holdfast backup PATH --database ${name}`))
  else if (Date.parse(newest.capturedAt) > now() + clockToleranceMs) {
    checks.push(
      warning(
        label,
        `its newest backup is dated in the future: ${formatTime(Date.parse(newest.capturedAt))}`,
        'Check the clock of this machine, and of the one that made it.',
      ),
    )
  } else
    checks.push(
      ok(
        label,
        `newest good backup ${newest.id}, ${formatDuration(Math.max(0, now() - Date.parse(newest.capturedAt)))} ago`,
      ),
    )
  if (lease?.isHeld) {
    const { owner, purpose, acquiredAt } = lease.document
    checks.push(
      note(
        label,
        `locked for ${purpose} by process ${owner.pid} on ${owner.host} since ${formatTime(Date.parse(acquiredAt))}`,
      ),
    )
  }
  return checks
}
