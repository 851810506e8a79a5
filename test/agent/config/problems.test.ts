import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { requireConfig } from '../../../src/agent/config/load-config.ts'
import { editDistance, nearest } from '../../../src/agent/config/nearest.ts'
import { ConfigError } from '../../../src/agent/config/problem.ts'
import { databaseProblem, file, load, places, problemOf, problemsOf } from './support/load-text.ts'

const good = 'databases: [{ path: app.db }]\n'

it('every problem is told at once, in the order of the file, with its line and column', async () => {
  const text = `repositry: ./backups
timeZone: Europe/Berln
defaults:
  retention: { dayly: 7 }
  verify: { cron: "61 * * * *" }
databases:
  - path: a.db
    follow: { syncInterval: 5 }
    schedules:
      - { type: ful, every: weekly }
      - { type: full, every: 6 hours ago }
  - name: x
    glob: "*.db"
    compression: { codec: gzip, level: 12 }
  - path: ./a.db
  - {}
notify:
  - { webhook: "ftp://x", on: [failures] }
  - email: { host: h, from: a@b }
server: { listen: "0.0.0.0:80" }
`
  assert.deepEqual(places(await problemsOf(text)), [
    '1:1 repositry',
    '2:11 timeZone',
    '4:16 defaults.retention.dayly',
    '5:19 defaults.verify.cron',
    '8:29 databases[0].follow.syncInterval',
    '10:17 databases[0].schedules[0].type',
    '11:30 databases[0].schedules[1].every',
    '12:5 databases[1].name',
    '14:40 databases[1].compression.level',
    '15:11 databases[2].path',
    '16:5 databases[3]',
    '18:16 notify[0].webhook',
    '18:32 notify[0].on[0]',
    '19:5 notify[1].email.to',
    '20:19 server.listen',
  ])
})

it('a repository and mirrors in a kind of storage that there is not are told of, wherever they are', async () => {
  const text = `repository: s3://bucket/prefix
mirrors: [nas, "gs:bucket", { to: "file://elsewhere/x" }]
${good}`
  const problems = await problemsOf(text)
  assert.deepEqual(places(problems), ['1:13 repository', '2:16 mirrors[1]', '2:35 mirrors[2].to'])
  const hint = 'Give a path or a URL that begins with file: or memory:.'
  assert.deepEqual(
    problems.map(({ message }) => message),
    [
      `There is no storage of the kind "s3:". ${hint}`,
      `There is no storage of the kind "gs:". ${hint}`,
      'Not a usable file URL: file://elsewhere/x. Write it like file:///srv/backups, or give the plain path.',
    ],
  )
})

describe('an unknown key', () => {
  const cases: readonly (readonly [text: string, path: string, near: string | null])[] = [
    [`${good}repositroy: x\n`, 'repositroy', 'repository'],
    [`${good}log: { levle: info }\n`, 'log.levle', 'level'],
    ['databases: [{ path: a, retention: { Daily: 1 } }]\n', 'databases[0].retention.Daily', 'daily'],
    ['databases: [{ path: a, follow: { handOff: { sise: 1MiB } } }]\n', 'databases[0].follow.handOff.sise', 'size'],
    ['databases: [{ path: a, schedules: [{ type: full, evry: daily }] }]\n', 'databases[0].schedules[0].evry', 'every'],
    [`${good}notify: [{ webhook: { url: "https://x", secrt: x } }]\n`, 'notify[0].webhook.secrt', 'secret'],
    [`${good}xyzzy: 1\n`, 'xyzzy', null],
  ]
  for (const [text, path, near] of cases) {
    it(`${path} is an error, and the nearest known one is ${near}`, async () => {
      const problem = await problemOf(text)
      assert.deepEqual([problem.path, problem.nearest], [path, near])
      assert.match(
        problem.message,
        near === null ? /Expected one of repository, / : new RegExp(`Did you mean "${near}"\\?`),
      )
    })
  }

  it('of what later versions will have is told as such', async () => {
    assert.equal(
      (await problemOf(`${good}encryption: [x]\n`)).message,
      '"encryption" is not available in this version.',
    )
  })
})

describe('a wrong value', () => {
  const cases: readonly (readonly [lines: string, place: string, message: string | RegExp])[] = [
    ['follow: maybe', '3:13 databases[0].follow', 'Expected true or false, or a mapping, got "maybe".'],
    [
      'follow: { syncInterval: 5 }',
      '3:29 databases[0].follow.syncInterval',
      /^Expected a duration with its unit, such as 5s, got 5\.$/,
    ],
    [
      'follow: { spoolLimit: lots }',
      '3:27 databases[0].follow.spoolLimit',
      'Expected a size such as 4GiB, got "lots".',
    ],
    ['retention: { daily: -1 }', '3:25 databases[0].retention.daily', 'Expected a whole number from 0 on, got -1.'],
    ['retention: { daily: 1.5 }', '3:25 databases[0].retention.daily', 'Expected a whole number from 0 on, got 1.5.'],
    ['retention: { daily: ~ }', '3:25 databases[0].retention.daily', 'Expected a whole number from 0 on, got nothing.'],
    ['retention:', '3:5 databases[0].retention', 'Expected true or false, or a mapping, got nothing.'],
    ['retention: { maxBackups: 10 }', '3:5 databases[0].retention', /^This would keep nothing but the newest backup/],
    [
      'retention: { daily: 1, timeZone: Mars }',
      '3:38 databases[0].retention.timeZone',
      /^Expected the name of a time zone/,
    ],
    ['validation: integrty', '3:17 databases[0].validation', /, got "integrty"\. Did you mean "integrity"\?$/],
    ['tags: { year: 2024 }', '3:19 databases[0].tags.year', 'Expected a text, got 2024. Put it in quotes.'],
    ['schedules: full', '3:16 databases[0].schedules', 'Expected a list, got "full".'],
    ['schedules: [full]', '3:17 databases[0].schedules[0]', 'Expected a mapping, got "full".'],
    [
      'schedules: [{ every: daily }]',
      '3:17 databases[0].schedules[0].type',
      /^"type" is missing: expected one of full, /,
    ],
    ['schedules: [{ type: full }]', '3:17 databases[0].schedules[0].every', /^One of every, cron, afterCommits/],
    ['verify: { subset: 11/10 }', '3:23 databases[0].verify.subset', /^Expected a part of the whole, such as 10%/],
    ['verify: { at: "03:00" }', '3:5 databases[0].verify.every', /^One of every, cron/],
    [
      'drill: { expectTables: { users: many } }',
      '3:37 databases[0].drill.expectTables.users',
      /^Expected a whole number/,
    ],
    ['drill: { assertions: [{ expect: 1 }] }', '3:27 databases[0].drill.assertions[0].sql', /^"sql" is missing/],
    ['name: a/b', '3:11 databases[0].name', /^Expected a name of letters, digits/],
    ['exclude: "*.tmp"', '3:5 databases[0].exclude', '"exclude" goes only with "glob".'],
    ['glob: "*.db"', '3:5 databases[0].glob', /^A database has either a "path" or a "glob"/],
    ['hooks: [{ command: x }]', '3:13 databases[0].hooks[0]', /^Either "before" or "after"/],
    [
      'hooks: [{ before: backup, command: [] }]',
      '3:31 databases[0].hooks[0].command',
      /^Expected at least one, got an empty list/,
    ],
    [
      'hooks: [{ before: backup, command: x, when: failure }]',
      '3:43 databases[0].hooks[0].when',
      /goes only with "after"/,
    ],
    [
      'hooks: [{ after: backup, command: x, onFailure: warn }]',
      '3:42 databases[0].hooks[0].onFailure',
      /goes only with "before"/,
    ],
    [
      'follow: false\nschedules: [{ type: verify, every: daily }]',
      '2:5 databases[0]',
      /^Nothing backs up this database/,
    ],
    [
      'follow: false\nschedules: [{ type: full, every: daily }, { type: incremental, afterCommits: 10 }]',
      '4:82 databases[0].schedules[1].afterCommits',
      /^This would never be due: with "follow: false", nothing notices commits\. Follow the database, or /,
    ],
    [
      'follow: false\nschedules: [{ type: full, quiet: 10m }]',
      '4:38 databases[0].schedules[0].quiet',
      /^This would never be due/,
    ],
    ['follow: false\nverify: { afterBytes: 1GB }', '4:27 databases[0].verify.afterBytes', /^This would never be due/],
    [
      'schedules:\n  - { type: full, every: daily }\n  - { type: full, every: daily }',
      '5:9 databases[0].schedules[1]',
      /^Two schedules have the id "full-daily"/,
    ],
    [
      'drill: { scratchFolder: ~/tmp }',
      '3:29 databases[0].drill.scratchFolder',
      /^Expected a path, got "~\/tmp"\. "~" does not stand for the home folder here: write \$\{HOME\}\.$/,
    ],
  ]
  for (const [lines, place, message] of cases) {
    it(`${lines.replaceAll('\n', ' ')}`, async () => {
      const problem = await databaseProblem(lines)
      assert.deepEqual(places([problem]), [place])
      if (typeof message === 'string') assert.equal(problem.message, message)
      else assert.match(problem.message, message)
    })
  }

  it('elsewhere', async () => {
    const cases: readonly (readonly [text: string, place: string, message: RegExp])[] = [
      ['repository: ./x\n', '1:1 databases', /^"databases" is missing: expected a list\.$/],
      ['databases: []\n', '1:1 databases', /^Expected at least one, got an empty list\.$/],
      [`${good}server: { listen: "0.0.0.0:7420" }\n`, '2:19 server.listen', /^Other machines can reach 0\.0\.0\.0/],
      [`${good}server: { listen: localhost }\n`, '2:19 server.listen', /^Expected an address and a port such as/],
      [`${good}concurrency: 0\n`, '2:14 concurrency', /^Expected a whole number from 1 to 256, or a mapping, got 0\.$/],
      [`${good}hooks: [{ before: x, command: y }]\n`, '2:19 hooks[0].before', /^Expected "all", "backup"/],
      [
        `databases: [{ path: a.db }, { path: ./a.db }]\n`,
        '1:37 databases[1].path',
        /^databases\[0\] has the same path\.$/,
      ],
      [
        `databases: [{ path: a, name: x }, { path: b, name: x }]\n`,
        '1:52 databases[1].name',
        /^databases\[0\] has the same name\.$/,
      ],
      [`${good}repository: ~/backups\n`, '2:13 repository', /"~" does not stand for the home folder here/],
    ]
    for (const [text, place, message] of cases) {
      const problem = await problemOf(text)
      assert.deepEqual(places([problem]), [place], text)
      assert.match(problem.message, message)
    }
  })

  it('in the schedules of "defaults", of a database that is not followed', async () => {
    const defaults =
      'defaults: { schedules: [{ type: full, afterBytes: 1GB }] }\ndatabases:\n  - path: a.db\n  - path: b.db\n'
    const own = await problemOf(`${defaults}    follow: false\n`)
    assert.deepEqual(places([own]), ['5:13 databases[1].follow'])
    assert.match(own.message, /^"afterBytes" in "defaults" would never be due: .* or give it schedules of its own\.$/)
    const { problems } = await load(`${defaults}    follow: false\n    schedules: [{ type: full, every: daily }]\n`)
    assert.equal(problems, undefined)
    const all =
      'defaults: { follow: false, verify: { quiet: 1h } }\ndatabases:\n  - path: a.db\n  - { path: b.db, follow: true }\n'
    assert.deepEqual(places(await problemsOf(all)), ['3:5 databases[0]'])
    assert.equal(
      (await load(all.replace('path: a.db', 'path: a.db\n    verify: { every: daily }'))).problems,
      undefined,
    )
  })

  it('in what expires, where nothing says what to keep', async () => {
    const nothing = /"retention", which says what to keep/
    for (const [lines, place] of [
      ['expire: true', '3:13 databases[0].expire'],
      ['expire: { every: daily }', '3:5 databases[0].expire'],
      ['retention: false\nexpire: true', '4:13 databases[0].expire'],
      [
        'schedules: [{ type: full, every: daily }, { type: expire, every: daily }]',
        '3:55 databases[0].schedules[1].type',
      ],
    ] as const) {
      const problem = await databaseProblem(lines)
      assert.deepEqual(places([problem]), [place])
      assert.match(problem.message, nothing)
    }
    for (const [defaults, own, place] of [
      ['expire: true', 'name: x', '3:5 databases[0]'],
      ['retention: true', 'retention: false\n    expire: true', '5:13 databases[0].expire'],
      ['retention: true, expire: { every: daily }', 'retention: false', '4:16 databases[0].retention'],
      ['schedules: [{ type: expire, every: daily }, { type: full, every: daily }]', 'name: x', '3:5 databases[0]'],
    ] as const) {
      const problem = await problemOf(`defaults: { ${defaults} }\ndatabases:\n  - path: app.db\n    ${own}\n`)
      assert.deepEqual(places([problem]), [place])
      assert.match(problem.message, nothing)
    }
    // What is mistyped there is told, and nothing else.
    assert.deepEqual(places([await databaseProblem('retention: 7\nexpire: true')]), ['3:16 databases[0].retention'])
    for (const lines of ['expire: false', 'retention: true\nexpire: true', 'compact: true'])
      assert.equal(
        (await load(`databases:\n  - path: app.db\n    ${lines.replace('\n', '\n    ')}\n`)).problems,
        undefined,
      )
  })

  it('names what was expected and what was found, for programs', async () => {
    const { expected, got, nearest: near, length } = await databaseProblem('validation: integrty')
    assert.deepEqual([expected, got, near, length], ['"none", "quick" or "integrity"', '"integrty"', 'integrity', 8])
  })
})

describe('what is secret', () => {
  it('is not told', async () => {
    const text = `${good}notify:
  - webhook: { url: "hppts://hush-url", secret: [hush-secret], headers: { authorization: 77123 } }
  - email: { host: h, user: u, password: 77124, from: a@b, to: c@d }
  - { webhook: hush-hook }
`
    const problems = await problemsOf(text)
    assert.equal(problems.length, 5)
    assert.doesNotMatch(JSON.stringify(problems), /hush|7712/)
  })
})

it('a mapping with a length is none of a list or text', async () => {
  const odd = '{ length: { valueOf: 1 } }'
  const texts = [
    `databases: ${odd}\n`,
    `databases: [{ glob: ${odd} }]\n`,
    `databases: [{ path: a, schedules: [{ type: full, every: ${odd} }] }]\n`,
    `databases: [{ path: a, hooks: [{ before: ${odd}, command: ${odd} }] }]\n`,
    `${good}notify: [{ command: x, on: ${odd}, databases: ${odd} }]\n`,
  ]
  for (const text of texts)
    for (const { message } of await problemsOf(text)) assert.match(message, /^Expected .*, got a mapping\.$/)
})

it('as an error, all problems are in its message', async () => {
  await assert.rejects(requireConfig('/nowhere/holdfast.yaml'), (error: unknown) => {
    assert.ok(error instanceof ConfigError)
    assert.deepEqual([error.code, error.exitCode, error.object], ['CONFIG_INVALID', 2, '/nowhere/holdfast.yaml'])
    assert.equal(error.message, 'There is no file /nowhere/holdfast.yaml.')
    assert.match(error.hint ?? '', /^"holdfast config example > \/nowhere\/holdfast\.yaml" writes one/)
    return true
  })
  const { problems } = await load('a: 1\nb: 2\n')
  assert.match(
    new ConfigError(file, { problems: problems ?? [] }).message,
    /^The configuration has 3 problems\.\n.*:1:1: .*\n/,
  )
})

it('what is near to a word', () => {
  assert.equal(nearest('dayly', ['daily', 'weekly']), 'daily')
  assert.equal(nearest('DAILY', ['daily']), 'daily')
  assert.equal(nearest('x', ['daily']), undefined)
  assert.equal(nearest('pathh', ['path', 'paths']), 'path')
  assert.deepEqual(
    [editDistance('', ''), editDistance('', 'ab'), editDistance('ab', 'ba'), editDistance('kitten', 'sitting')],
    [0, 2, 1, 3],
  )
})

describe('one mistake hides no other', () => {
  const found = async (text: string) => (await problemsOf(text)).map(({ path, nearest }) => `${path} ${nearest ?? '-'}`)

  it('in a schedule of which the type is mistyped', async () => {
    const text =
      'databases: [{ path: a, schedules: [{ type: ful, every: houry, timeZone: Europe/Berln, jitter: 5 }] }]\n'
    assert.deepEqual(await found(text), [
      'databases[0].schedules[0].type full',
      'databases[0].schedules[0].every hourly',
      'databases[0].schedules[0].timeZone -',
      'databases[0].schedules[0].jitter -',
    ])
    const { message } = await problemOf('databases: [{ path: a, schedules: [{ type: full, every: houry }] }]\n')
    assert.match(message, /got "houry"\. Did you mean "hourly"\?$/)
    const zone = await problemOf(
      'databases: [{ path: a, schedules: [{ type: full, every: daily, timeZone: Europe/Berln }] }]\n',
    )
    assert.equal(zone.nearest, 'Europe/Berlin')
  })

  it('below a mistyped key, at any depth, and what is right there is not called missing', async () => {
    const text = `databses:
  - pth: a.db
    schedules: [{ type: full, evry: houry }]
    retension: { dayly: x }
    folow: { handof: { sise: 0 } }
notfy:
  - webhok: { ulr: "ftp://x" }
`
    assert.deepEqual(await found(text), [
      'databses databases',
      'databses[0].pth path',
      'databses[0].schedules[0].evry every',
      'databses[0].schedules[0].evry hourly',
      'databses[0].retension retention',
      'databses[0].retension.dayly daily',
      'databses[0].retension.dayly -',
      'databses[0].folow follow',
      'databses[0].folow.handof handOff',
      'databses[0].folow.handof.sise size',
      'databses[0].folow.handof.sise -',
      'notfy notify',
      'notfy[0].webhok webhook',
      'notfy[0].webhok.ulr url',
      'notfy[0].webhok.ulr -',
    ])
    const places = (await problemsOf(text)).map(({ line, column }) => `${line}:${column}`)
    assert.deepEqual(places.slice(0, 4), ['1:1', '2:5', '3:31', '3:37'])
  })

  it('where the key that was meant is there too, it is told once', async () => {
    assert.deepEqual(await found('databases: [{ path: a, pth: b }]\n'), ['databases[0].pth path'])
  })
})
