import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { parse } from 'yaml'
import { addSchedule, removeSchedule } from '../../../src/agent/schedule/edit/edit-schedules.ts'
import type { ScheduleInput } from '../../../src/agent/schedule/schedule-input.ts'
import { hasCode } from '../../../src/errors.ts'

const config = `# Backups of ACME
repository: /srv/backups   # on the NAS

databases:
  # the shop
  - path: data/app.db # live
    schedules: [{ type: full, every: weekly }, { type: incremental,  every: 6h }]  # both
    retention: { last: 3, daily: 7 }

  - path: data/b.db
    follow: false
    schedules:
      # nightly
      - type: full
        every: daily   # at midnight
      - { type: verify, every: weekly } # check
    # the end of b

  - glob: 'tenants/**/*.db'        # found, added and dropped while running
notify: [{ webhook: 'https://x', on: [failure,overdue] }]
`

const monthly: ScheduleInput = { type: 'full', every: 'monthly', at: 'last 02:30' }

/** The lines that a change took away and put in. */
function difference(before: string, after: string): string[] {
  const [old, now] = [before.split('\n'), after.split('\n')]
  let [start, end] = [0, 0]
  while (start < Math.min(old.length, now.length) && old[start] === now[start]) start += 1
  while (end < Math.min(old.length, now.length) - start && old.at(-1 - end) === now.at(-1 - end)) end += 1
  const cut = (lines: string[], sign: string) => lines.slice(start, lines.length - end).map((line) => sign + line)
  return [...cut(old, '-'), ...cut(now, '+')]
}

describe('a schedule is added to a configuration', () => {
  it('at the end of a list', () => {
    const { text, copied } = addSchedule(config, 1, monthly)
    assert.deepEqual(difference(config, text), ['+      - { type: full, every: monthly, at: last 02:30 }'])
    assert.equal(copied, false)
  })

  it('at the end of a list in brackets', () => {
    const { text } = addSchedule(config, 0, { type: 'full', cron: '0 4 * * 1-5', id: 'x', tags: { why: 'a: b' } })
    assert.deepEqual(difference(config, text), [
      '-    schedules: [{ type: full, every: weekly }, { type: incremental,  every: 6h }]  # both',
      '+    schedules: [{ type: full, every: weekly }, { type: incremental,  every: 6h }, { type: full, cron: 0 4 * * 1-5, id: x, tags: { why: "a: b" } }]  # both',
    ])
  })

  it('in a list of its own, after the usual one that would be gone otherwise', () => {
    const { text, copied } = addSchedule(config, 2, monthly)
    assert.deepEqual(difference(config, text), [
      '+    schedules:',
      '+      - { type: incremental, every: daily }',
      '+      - { type: full, every: monthly, at: last 02:30 }',
    ])
    assert.equal(copied, true)
  })

  it('in a list of its own, after those of the defaults', () => {
    const defaults = `${config}defaults:\n  schedules:\n    - { type: full, every: daily, tags: { a: "\${B}" } }\n`
    const { text } = addSchedule(defaults, 2, monthly)
    assert.deepEqual(difference(defaults, text), [
      '+    schedules:',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: as in the file
      '+      - { type: full, every: daily, tags: { a: "${B}" } }',
      '+      - { type: full, every: monthly, at: last 02:30 }',
    ])
  })

  it('with values that mean what they say', () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: as a person writes it
    const { text } = addSchedule(config, 1, { ...monthly, tags: { why: '${HOME} # "x"' } })
    assert.equal(parse(text).databases[1].schedules[2].tags.why, `$\${HOME} # "x"`)
  })

  it('in files without a line break at their end, with other line breaks, and in brackets throughout', () => {
    for (const [before, after] of [
      [
        'databases:\n- path: a',
        'databases:\n- path: a\n  schedules:\n    - { type: incremental, every: daily }\n    - { type: full, every: daily }',
      ],
      [
        'databases:\r\n- path: a\r\n  schedules:\r\n  - { type: full, every: 1h }\r\n',
        'databases:\r\n- path: a\r\n  schedules:\r\n  - { type: full, every: 1h }\r\n  - { type: full, every: daily }\r\n',
      ],
      [
        '{ databases: [{ path: a }] }',
        '{ databases: [{ path: a, schedules: [{ type: incremental, every: daily }, { type: full, every: daily }] }] }',
      ],
      [
        'databases: [{ path: a, schedules: [] }]',
        'databases: [{ path: a, schedules: [{ type: full, every: daily }] }]',
      ],
      [
        'databases:\n  - path: a\n    schedules: []\n',
        'databases:\n  - path: a\n    schedules: [{ type: full, every: daily }]\n',
      ],
    ] as const)
      assert.equal(addSchedule(before, 0, { type: 'full', every: 'daily' }).text, after)
  })

  it('where a name stands for a list, in a list of its own', () => {
    const shared =
      'x: &common [{ type: full, every: daily }]\ndatabases:\n  - path: a\n    schedules: *common\n  - path: b\n    schedules: *common\n'
    const { text, copied } = addSchedule(shared, 0, monthly)
    assert.deepEqual(difference(shared, text), [
      '-    schedules: *common',
      '+    schedules: [{ type: full, every: daily }, { type: full, every: monthly, at: last 02:30 }]',
    ])
    assert.equal(copied, true)
  })

  it('or refused, where that is not possible', () => {
    const intricate = 'x: &a { path: a }\ndatabases:\n  - *a\n'
    assert.throws(
      () => addSchedule(intricate, 0, monthly),
      (error) => hasCode(error, 'USAGE'),
    )
  })
})

describe('a schedule is removed from a configuration', () => {
  it('with its lines, and no others', () => {
    assert.deepEqual(difference(config, removeSchedule(config, 1, 0).text), [
      '-      - type: full',
      '-        every: daily   # at midnight',
    ])
    assert.deepEqual(difference(config, removeSchedule(config, 1, 1).text), [
      '-      - { type: verify, every: weekly } # check',
    ])
  })

  it('from a list in brackets', () => {
    const line = (text: string) => text.split('\n')[6]
    assert.equal(line(removeSchedule(config, 0, 0).text), '    schedules: [{ type: incremental,  every: 6h }]  # both')
    assert.equal(line(removeSchedule(config, 0, 1).text), '    schedules: [{ type: full, every: weekly }]  # both')
  })

  it('leaving an empty list, as none would mean the usual one', () => {
    const one = removeSchedule(config, 1, 0).text
    assert.deepEqual(difference(one, removeSchedule(one, 1, 0).text), [
      '-    schedules:',
      '-      # nightly',
      '-      - { type: verify, every: weekly } # check',
      '+    schedules: []',
      '+      # nightly',
    ])
    assert.deepEqual(difference(config, removeSchedule(config, 2, 0).text), ['+    schedules: []'])
  })

  it('or refused, where a section asks for it', () => {
    assert.throws(
      () => removeSchedule(config, 1, 2),
      (error) => hasCode(error, 'USAGE'),
    )
  })
})

it('whatever the file looks like, nothing but the schedules of one database changes', () => {
  const comment = fc.constantFrom('', '', ' # why', '   # [x]: {y} "z"')
  const between = fc.constantFrom('', '', '\n', '\n# a line - of: its own\n', '\n      # deep\n\n')
  const item = fc.constantFrom(
    '{ type: full, every: weekly }',
    '{type: full,every: 6h}',
    'type: full\n          every: "1h"',
    "type: incremental\n          cron: '0 * * * *' # hourly\n          tags:\n            a: b",
    'type: full\n          id: >-\n            folded\n          every: 2h',
  )
  const block = fc
    .array(fc.tuple(item, comment, between), { minLength: 1, maxLength: 4 })
    .map(
      (items) =>
        `:\n${items.map(([text, note, gap]) => `        - ${text}${text.includes('\n') ? '' : note}\n${gap.replace(/^\n/, '')}`).join('')}`,
    )
  const inline = fc
    .tuple(
      fc.array(fc.constantFrom('{ type: full, every: weekly }', '{type: full,every: 6h}'), { maxLength: 3 }),
      comment,
    )
    .map(([items, note]) => `: [${items.join(', ')}]${note}\n`)
  const entry = fc
    .tuple(fc.option(fc.oneof(block, inline), { nil: undefined }), comment, between, fc.boolean())
    .map(([schedules, note, gap, last]) => {
      const list = schedules === undefined ? '' : `      schedules${schedules}`
      return `    - path: a${note}\n${last ? '' : list}      follow: false${note}\n${last ? list : ''}${gap}`
    })
  const file = fc
    .tuple(comment, fc.array(entry, { minLength: 1, maxLength: 3 }), between, fc.constantFrom('\n', '\r\n'))
    .map(([note, entries, gap, newline]) =>
      `repository: ./b${note}\n${gap}databases:\n${entries.join('')}log: { level: info }\n`.replaceAll('\n', newline),
    )
  fc.assert(
    fc.property(file, fc.nat(2), fc.nat(4), (text, place, index) => {
      const before = parse(text)
      const database = place % before.databases.length
      const added = addSchedule(text, database, monthly).text
      const list: unknown[] = before.databases[database].schedules ?? [{ type: 'incremental', every: 'daily' }]
      const expected = structuredClone(before)
      expected.databases[database].schedules = [...list, monthly]
      assert.deepEqual(parse(added), expected)
      // What was there is still there: one piece was put in.
      let start = 0
      while (text[start] === added[start] && start < text.length) start += 1
      assert.ok(added.endsWith(text.slice(start)), 'nothing is lost')

      if (list.length === 0) return
      const removed = removeSchedule(text, database, index % list.length).text
      expected.databases[database].schedules = list.toSpliced(index % list.length, 1)
      assert.deepEqual(parse(removed), expected)
      for (const note of text.match(/^# .*$/gm) ?? []) assert.ok(removed.includes(note), 'comments stay')
    }),
    { numRuns: 1000 },
  )
})
