/** Every condition that an agent can tell of must fire, and must clear: one that is added without an entry here fails this test. */
import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { pathToFileURL } from 'node:url'
import type { Operation, OperationKind } from '../../../src/agent/journal/operation.ts'
import { type AlertKind, alertKinds } from '../../../src/agent/notify/alert.ts'
import { observeDamage } from '../../../src/agent/notify/conditions/damage.ts'
import { observeDisk } from '../../../src/agent/notify/conditions/disk.ts'
import { observeDrills } from '../../../src/agent/notify/conditions/drills.ts'
import { observeExpiring } from '../../../src/agent/notify/conditions/expiring.ts'
import { observeGap, observeLag, observeSpool, observeTrouble } from '../../../src/agent/notify/conditions/following.ts'
import { observeFreshness } from '../../../src/agent/notify/conditions/freshness.ts'
import { observeMirror } from '../../../src/agent/notify/conditions/mirror.ts'
import { observeMissing } from '../../../src/agent/notify/conditions/missing.ts'
import { observeOperation } from '../../../src/agent/notify/conditions/operation.ts'
import { observeRepository } from '../../../src/agent/notify/conditions/repository.ts'
import { observeEndedWorker, observeSilentWorkers } from '../../../src/agent/notify/conditions/silent-worker.ts'
import { observeUncleanStop } from '../../../src/agent/notify/conditions/unclean-stop.ts'
import type { Observation } from '../../../src/agent/notify/engine/advance.ts'
import { gapReasons } from '../../../src/capture/gap-reasons.ts'
import { toLsn } from '../../../src/history/lsn.ts'
import { day, Engine, hour, minute, start } from './support/alerts.ts'

interface Case {
  readonly kind: AlertKind
  /** What is seen while it is so. */
  readonly wrong: (now: number) => readonly Observation[]
  /** What is seen when it is so no more; undefined: nothing, it is over by itself. */
  readonly right?: (now: number) => readonly Observation[]
  /** It is told when it has been so for so long, and over when it has not been so for so long. */
  readonly delayMs?: number
  readonly settleMs?: number
}

function operation(kind: OperationKind, outcome: Operation['outcome']): readonly Observation[] {
  const times = { startedAt: start, endedAt: start }
  return observeOperation({ id: '1', kind, database: 'app', repository: 'r', trigger: 'schedule', outcome, ...times })
}

function ofOperation(kind: OperationKind, alert: AlertKind = 'failure'): Case {
  return { kind: alert, wrong: () => operation(kind, 'failed'), right: () => operation(kind, 'succeeded') }
}

const drilled = (verdict: 'passed' | 'failed', afterMs: number) => {
  return { verdict, reasons: [], drilledAt: new Date(start + afterMs).toISOString(), backup: null, host: 'db1' }
}
const checked = (ok: boolean) => ({ segments: { s: { ok, problem: 'Torn.' } }, restores: {} })
const gap = { fromLsn: toLsn(3), toLsn: toLsn(4), fromTime: start, toTime: start, reason: gapReasons['log-reset'] }
const disk = { what: 'the repository', path: '/srv', totalBytes: 100 * 1024 ** 3 }
const vanished = { pattern: '/srv/*.db', since: start, reason: 'its folder is gone', databases: [] }
const daily = { trigger: { on: 'interval', everyMs: day } } as const
const mirrored = { mirror: 'file:///nas', schedule: daily, since: start }

const cases: Readonly<Record<string, readonly Case[]>> = {
  observeOperation: [
    ...(['backup', 'follow', 'verify', 'expire', 'compact', 'mirror'] as const).map((kind) => ofOperation(kind)),
    ofOperation('drill', 'drill'),
  ],
  observeFreshness: [
    {
      kind: 'overdue',
      wrong: (now) => observeFreshness({ database: 'app', newestBackupAt: now - day }, { overdueAfterMs: hour }, now),
      right: (now) => observeFreshness({ database: 'app', newestBackupAt: now }, { overdueAfterMs: hour }, now),
    },
  ],
  observeMirror: [
    {
      kind: 'overdue',
      wrong: (now) => observeMirror({ ...mirrored, completeAt: now - 3 * day }, now),
      right: (now) => observeMirror({ ...mirrored, completeAt: now }, now),
    },
  ],
  observeMissing: [
    {
      kind: 'missing',
      wrong: () => observeMissing([vanished], []),
      right: () => observeMissing([], [{ key: `missing/${encodeURIComponent(vanished.pattern)}`, kind: 'missing' }]),
    },
  ],
  observeRepository: [
    {
      kind: 'missing',
      wrong: () => observeRepository('file:///srv/backups', false),
      right: () => observeRepository('file:///srv/backups', true),
    },
  ],
  observeLag: [
    {
      kind: 'lag',
      wrong: () => observeLag('app', hour),
      right: () => observeLag('app', 0),
      delayMs: minute,
      settleMs: 5 * minute,
    },
  ],
  observeGap: [{ kind: 'gap', wrong: () => observeGap('app', gap), settleMs: hour }],
  observeTrouble: [
    {
      kind: 'failure',
      wrong: () => observeTrouble('app', 'Somebody holds a lock.'),
      right: () => observeTrouble('app', undefined),
    },
  ],
  observeSpool: [
    {
      kind: 'spool',
      wrong: () => observeSpool('app', 9, 10),
      right: () => observeSpool('app', 0, 10),
      settleMs: 5 * minute,
    },
  ],
  observeDamage: [
    {
      kind: 'verify',
      wrong: () => observeDamage('app', checked(false)),
      right: () => observeDamage('app', checked(true)),
    },
  ],
  observeDrills: [
    {
      kind: 'drill',
      wrong: () => observeDrills('app', [drilled('failed', 0)], undefined),
      right: () => observeDrills('app', [drilled('failed', 0), drilled('passed', hour)], start),
    },
  ],
  observeDisk: [
    {
      kind: 'disk',
      wrong: () => observeDisk({ ...disk, freeBytes: 0 }),
      right: () => observeDisk({ ...disk, freeBytes: disk.totalBytes }),
      settleMs: 10 * minute,
    },
  ],
  observeExpiring: [
    {
      kind: 'expiring',
      wrong: (now) => observeExpiring('hooks:443', now + day, now),
      right: (now) => observeExpiring('hooks:443', now + 90 * day, now),
    },
  ],
  observeUncleanStop: [
    {
      kind: 'agent',
      wrong: (now) => observeUncleanStop({ startedAt: start, seenAt: start }, now),
      settleMs: hour,
    },
  ],
  observeSilentWorkers: [
    {
      kind: 'agent',
      wrong: () => observeSilentWorkers([{ pid: 7, silentMs: hour }]),
      right: () => observeSilentWorkers([]),
    },
  ],
  observeEndedWorker: [{ kind: 'agent', wrong: () => observeEndedWorker(7, hour), settleMs: hour }],
}

const folder = join(import.meta.dirname, '../../../src/agent/notify/conditions')

describe('every alert', () => {
  it('is here', async () => {
    const names: string[] = []
    for (const file of globSync('*.ts', { cwd: folder })) {
      const module: object = await import(pathToFileURL(join(folder, file)).href)
      names.push(...Object.keys(module).filter((name) => name.startsWith('observe')))
    }
    assert.deepEqual(Object.keys(cases).sort(), names.sort())
    const kinds = new Set(Object.values(cases).flatMap((each) => each.map(({ kind }) => kind)))
    assert.deepEqual([...kinds].sort(), alertKinds.toSorted())
  })

  for (const [name, each] of Object.entries(cases))
    it(`fires once, and is over once: ${name}`, () => {
      for (const { kind, wrong, right, delayMs = 0, settleMs = 0 } of each) {
        const engine = new Engine()
        const told: (readonly [state: string, kind: string, afterMs: number])[] = []
        let since = engine.now
        const note = (alerts: ReturnType<Engine['see']>): void => {
          for (const { state, kind } of alerts) told.push([state, kind, engine.now - since])
        }
        note(engine.see(...wrong(engine.now)))
        for (let looks = 0; looks < 10; looks += 1) {
          note(engine.wait(minute))
          note(engine.see(...wrong(engine.now)))
        }
        assert.deepEqual(told, [['firing', kind, delayMs]])
        told.length = 0
        since = engine.now
        note(engine.see(...(right?.(engine.now) ?? [])))
        for (let looks = 0; looks < 120; looks += 1) {
          note(engine.wait(minute))
          note(engine.see(...(right?.(engine.now) ?? [])))
        }
        assert.deepEqual(told, [['recovered', kind, settleMs]])
      }
    })
})
