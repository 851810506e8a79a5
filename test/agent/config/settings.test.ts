import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { DatabaseConfig } from '../../../src/agent/config/config.ts'
import { database, databaseProblem, loadOk } from './support/load-text.ts'

const ids = ({ schedules }: DatabaseConfig) => schedules.map(({ id }) => id)
const minute = 60_000
const hour = 60 * minute
const day = 24 * hour

describe('a path alone', () => {
  it('is followed, backed up every day, verified every week, and kept for ever', async () => {
    const config = await database('')
    assert.deepEqual(config.source, { kind: 'path', path: '/etc/holdfast/app.db', name: undefined })
    assert.deepEqual(config.follow, {
      syncIntervalMs: 1000,
      maxBatchBytes: 64 * 2 ** 20,
      deltaIntervalMs: minute,
      enableWal: false,
      handOff: { logBytes: 4 * 2 ** 20, ageMs: minute },
      auditIntervalMs: day,
      spoolLimitBytes: 2 ** 30,
    })
    assert.deepEqual(ids(config), ['incremental-daily', 'verify-weekly'])
    assert.equal(config.retention, undefined)
    assert.deepEqual([config.compression, config.validation], [{ codec: 'zstd', level: 1 }, 'quick'])
    assert.deepEqual([config.overdueAfterMs, config.lagLimitMs], [undefined, 5 * minute])
  })

  it('makes the rest as quiet as it can be', async () => {
    const config = await loadOk('databases: [{ path: app.db }]\n')
    const { repository, stateFolder, notify, server, log, concurrency, repeatAlertsMs } = config
    assert.deepEqual([repository, stateFolder], ['/etc/holdfast/backups', undefined])
    assert.deepEqual([notify, server, log], [[], undefined, { level: 'info', format: 'text' }])
    assert.deepEqual([concurrency, repeatAlertsMs], [{ operations: 2, workers: 4 }, day])
  })
})

describe('paths', () => {
  it('start from the folder of the file, unless they are whole, or URLs', async () => {
    const { repository, stateFolder, databases } = await loadOk(`repository: ../store
stateFolder: state
databases:
  - path: /abs/a.db
  - { glob: ["t/**/*.db", /x/*.db], exclude: t/tmp.db }
`)
    assert.deepEqual([repository, stateFolder], ['/etc/store', '/etc/holdfast/state'])
    assert.deepEqual(
      databases.map(({ source }) => source),
      [
        { kind: 'path', path: '/abs/a.db', name: undefined },
        {
          kind: 'glob',
          patterns: ['/etc/holdfast/t/**/*.db', '/x/*.db'],
          exclude: ['/etc/holdfast/t/tmp.db'],
        },
      ],
    )
    for (const url of ['file:///srv/x', 'memory:x'])
      assert.equal((await loadOk(`repository: ${url}\ndatabases: [{ path: a }]\n`)).repository, url)
  })
})

describe('schedules', () => {
  it('that are listed replace the usual one; sections add theirs', async () => {
    assert.deepEqual(ids(await database('schedules: []')), ['verify-weekly'])
    assert.deepEqual(ids(await database('schedules: [{ type: full, every: weekly }]\nverify: false')), ['full-weekly'])
    assert.deepEqual(ids(await database('retention: true\nverify: false')), [
      'incremental-daily',
      'expire-daily',
      'compact-daily',
    ])
    assert.deepEqual(ids(await database('retention: true\nexpire: false\ncompact: { every: weekly }\nverify: false')), [
      'incremental-daily',
      'compact-weekly',
    ])
    assert.deepEqual(ids(await database('drill: true\nverify: { every: monthly }')), [
      'incremental-daily',
      'verify-monthly',
      'drill-weekly',
    ])
  })

  it('of a type stand in for what its section would add', async () => {
    const config = await database('schedules: [{ type: verify, every: 6h }]\nverify: { level: restore }')
    assert.deepEqual(ids(config), ['verify-every-6h'])
    assert.equal(config.verify.level, 'restore')
    const both = await database('schedules: [{ type: verify, every: 6h }]\nverify: { every: monthly }')
    assert.deepEqual(ids(both), ['verify-every-6h', 'verify-monthly'])
  })

  it('have the time zone of the file, unless they have one; their ids do not depend on it', async () => {
    const lines = `schedules:
  - { type: full, every: weekly }
  - { type: full, cron: "0 1 * * *", timeZone: Asia/Tokyo }
  - { type: incremental, every: 6h }
retention: { daily: 7 }
verify: false
`
    const here = await database(lines, 'timeZone: Europe/Berlin')
    const zones = here.schedules.map(({ trigger }) => ('timeZone' in trigger ? trigger.timeZone : undefined))
    assert.deepEqual(zones, ['Europe/Berlin', 'Asia/Tokyo', undefined, 'Europe/Berlin', 'Europe/Berlin'])
    assert.deepEqual(ids(here), ids(await database(lines)))
    assert.equal(here.retention?.timeZone, 'Europe/Berlin')
  })

  it('of a section may wait by chance, also at the usual time', async () => {
    const { schedules } = await database('verify: { jitter: 5m }\nschedules: []')
    assert.deepEqual(
      schedules.map(({ id, jitterMs }) => [id, jitterMs]),
      [['verify-weekly', 5 * minute]],
    )
  })
})

describe('defaults', () => {
  const defaults = `defaults:
  follow: { syncInterval: 5s, handOff: { size: 1MiB } }
  schedules: [{ type: full, every: weekly }]
  retention: { daily: 7, weekly: 4 }
  verify: { every: daily, at: "05:00", level: restore }
  compression: { codec: gzip, level: 9 }
  tags: { team: web, tier: a }
  hooks: [{ before: backup, command: below }]
`

  it('hold where a database says nothing', async () => {
    const config = await database('', defaults)
    assert.deepEqual(
      [config.follow?.syncIntervalMs, config.follow?.handOff],
      [5000, { logBytes: 2 ** 20, ageMs: minute }],
    )
    assert.deepEqual([config.retention?.daily, config.retention?.weekly], [7, 4])
    assert.deepEqual([config.tags, config.hooks.length], [{ team: 'web', tier: 'a' }, 1])
    assert.equal(config.schedules[0]?.id, 'full-weekly')
  })

  it('are merged key by key where a database says something', async () => {
    const config = await database(
      `follow: { handOff: { age: 2m } }
retention: { daily: 30 }
tags: { tier: b }
verify: { level: data }
`,
      defaults,
    )
    assert.deepEqual(
      [config.follow?.syncIntervalMs, config.follow?.handOff],
      [5000, { logBytes: 2 ** 20, ageMs: 2 * minute }],
    )
    assert.deepEqual([config.retention?.daily, config.retention?.weekly], [30, 4])
    assert.deepEqual(config.tags, { team: 'web', tier: 'b' })
    assert.equal(config.verify.level, 'data')
    assert.deepEqual(config.schedules.at(-1)?.trigger, { on: 'calendar', every: 'daily', at: 300 })
  })

  it('give way as a whole: lists, compression, and when something is done', async () => {
    const config = await database(
      `schedules: [{ type: incremental, every: 1h }]
compression: { codec: zstd }
verify: { cron: "0 1 * * *" }
hooks: []
`,
      defaults,
    )
    assert.deepEqual([ids(config)[0], config.hooks], ['incremental-every-1h', []])
    assert.deepEqual(config.compression, { codec: 'zstd', level: 1 })
    assert.deepEqual(config.schedules.at(-1)?.trigger, { on: 'cron', expression: '0 1 * * *' })
    assert.equal(config.verify.level, 'restore')
  })

  it('can be switched off, and on again', async () => {
    const off = await database('follow: false\nretention: false\nverify: false', defaults)
    assert.deepEqual([off.follow, off.retention, ids(off)], [undefined, undefined, ['full-weekly']])
    const on = await database('follow: true\nretention: true', defaults)
    assert.deepEqual([on.follow?.syncIntervalMs, on.retention?.weekly], [5000, 4])
    const own = await database('follow: { syncInterval: 2s }', 'defaults: { follow: false }')
    assert.equal(own.follow?.syncIntervalMs, 2000)
  })
})

it('retention says what is meant in full', async () => {
  const { retention } = await database('retention: { last: 3, within: 30d, window: 7d, grace: 2h }')
  assert.deepEqual(retention, {
    last: 3,
    within: 30 * day,
    window: 7 * day,
    maxBackups: 100,
    timeZone: 'UTC',
    graceMs: 2 * hour,
  })
})

it('retention may keep no commit for its own sake, with a unit or without', async () => {
  for (const window of ['0', '"0"', '0s', '0d', '0h 0m']) {
    const { retention } = await database(`retention: { last: 3, window: ${window} }`)
    assert.deepEqual([retention?.last, retention?.window], [3, 0], window)
    const { message } = await databaseProblem(`retention: { window: ${window} }`)
    assert.match(message, /keep nothing but the newest backup/)
  }
  for (const window of ['1', '-1', '"7"', 'never']) {
    const { message } = await databaseProblem(`retention: { last: 3, window: ${window} }`)
    assert.match(message, /a duration with its unit, such as 7d, or 0, got/)
  }
})

it('a drill has all that it is to look at', async () => {
  const { drill } = await database(`drill:
  every: daily
  state: random
  assertions: [SELECT 1, { sql: SELECT count(*) FROM t, name: rows, expect: 3 }]
  expectTables: [users]
  command: [./check, --fast]
  commandTimeout: 1m
  maxRecoveryTime: 15m
  maxAge: 1h
  scratchFolder: scratch
`)
  assert.deepEqual(drill, {
    state: 'random',
    assertions: [{ sql: 'SELECT 1' }, { sql: 'SELECT count(*) FROM t', name: 'rows', expect: 3 }],
    expectTables: { users: 0 },
    command: ['./check', '--fast'],
    commandTimeoutMs: minute,
    maxRecoveryTimeMs: 15 * minute,
    maxAgeMs: hour,
    scratchFolder: '/etc/holdfast/scratch',
  })
})

it('a verification has its level and its limits, and the folder of its trial restores', async () => {
  const { verify } = await database(
    'verify: { level: restore, scratchFolder: trials }',
    'defaults: { verify: { every: weekly, subset: 10%, maxDuration: 1h, scratchFolder: /mnt/trials } }',
  )
  assert.deepEqual(verify, {
    level: 'restore',
    subset: 0.1,
    maxDurationMs: hour,
    scratchFolder: '/etc/holdfast/trials',
  })
})

it('hooks of the file come before those of a database', async () => {
  const { hooks } = await database(
    'hooks: [{ after: all, command: [own, x], when: failure, timeout: 5s }]',
    'hooks: [{ before: [backup, drill], command: all }]',
  )
  assert.deepEqual(hooks, [
    {
      moment: 'before',
      operations: ['backup', 'drill'],
      command: 'all',
      timeoutMs: minute,
      when: 'always',
      onFailure: 'fail',
      place: 'hooks[0]',
    },
    {
      moment: 'after',
      operations: ['backup', 'verify', 'drill', 'expire', 'compact', 'mirror'],
      command: ['own', 'x'],
      timeoutMs: 5000,
      when: 'failure',
      onFailure: 'warn',
      place: 'databases[0].hooks[0]',
    },
  ])
  const { hooks: below } = await database('', 'defaults: { hooks: [{ before: backup, command: all }] }')
  assert.deepEqual(
    below.map(({ place }) => place),
    ['defaults.hooks[0]'],
  )
})

it('the server listens where only this machine can reach it, unless others may', async () => {
  const serverOf = async (said: string) => (await loadOk(`databases: [{ path: a }]\nserver: ${said}\n`)).server
  assert.deepEqual(await serverOf('true'), { host: '127.0.0.1', port: 7420, allowRemote: false })
  assert.equal(await serverOf('false'), undefined)
  assert.deepEqual(await serverOf('{ listen: "[::1]:0" }'), { host: '::1', port: 0, allowRemote: false })
  assert.deepEqual(await serverOf('{ listen: ":80" }'), { host: '127.0.0.1', port: 80, allowRemote: false })
  assert.deepEqual(await serverOf('{ listen: "0.0.0.0:80", allowRemote: true }'), {
    host: '0.0.0.0',
    port: 80,
    allowRemote: true,
  })
})
