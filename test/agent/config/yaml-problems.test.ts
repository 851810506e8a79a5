import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { loadConfig } from '../../../src/agent/config/load-config.ts'
import { load, loadOk, places, problemOf, problemsOf } from './support/load-text.ts'

const good = 'databases: [{ path: app.db }]\n'

describe('a file that is no configuration', () => {
  const cases: readonly (readonly [name: string, text: string | Uint8Array, place: string, message: RegExp])[] = [
    ['an empty file', '', '1:1 ', /^The file is empty\. Begin with "holdfast config example"/],
    ['only comments', '# nothing\n\n', '1:1 ', /^The file is empty/],
    ['nothing but a text', 'hello\n', '1:1 ', /^Expected a mapping, got a text\.$/],
    ['a list', '- a\n', '1:1 ', /^Expected a mapping, got a list/],
    ['null', '~\n', '1:1 ', /^Expected a mapping, got nothing/],
    ['bytes that are no text', Uint8Array.of(0xff, 0xfe, 0), '1:1 ', /is not a text in UTF-8/],
    ['a tab', 'databases:\n\t- path: a.db\n', '2:1 ', /^A tab stands where spaces are expected/],
    ['a quote that is not closed', `${good}log: { level: "info }\n`, '2:15 ', /quote/],
    ['a text that begins with @', `${good}repository: @x\n`, '2:13 ', /cannot begin with "@": put it in quotes/],
    ['two colons in a line', 'repository: a: b\n', '1:13 ', /A second ": " in one line/],
    ['a second document', `${good}---\n${good}`, '2:1 ', /A second document begins here/],
    [
      'a tag',
      `${good}repository: !secret x\n`,
      '2:13 ',
      /^Tags mean nothing here\. Put a text that begins with "!" in quotes/,
    ],
    ['an older YAML', `%YAML 1.1\n---\n${good}`, '1:1 ', /Expected YAML 1\.2/],
    [
      'a key given twice',
      `${good}repository: a\nrepository: b\n`,
      '3:1 repository',
      /The key "repository" is given twice/,
    ],
    ['a merge key', `a: &a {}\n${good}log:\n  <<: *a\n`, '4:3 log["<<"]', /Merge keys are not supported/],
    ['an alias of nothing', `${good}repository: *x\n`, '2:13 repository', /^This alias stands for nothing/],
    ['a key that is a list', `${good}? [a]\n: b\n`, '2:3 ', /A key must be a plain text/],
    [
      'a key without a space behind its colon',
      `${good}log: { level:info }\n`,
      '2:8 log',
      /^Expected "key: value", with a colon and a space/,
    ],
    [
      'such a key in a line of its own',
      `${good}log:\n  level: info\n    format:json\n`,
      '3:10 log.level',
      /^The next line belongs to this text/,
    ],
    [
      'an escape that YAML does not know',
      `${good}repository: "a\\q"\n`,
      '2:15 ',
      /Inside of double quotes, "\\" begins nothing that YAML knows/,
    ],
    ['a key that is no key', `${good}__proto__: { a: 1 }\n`, '2:1 ', /The key "__proto__" cannot be used/],
  ]
  for (const [name, text, place, message] of cases) {
    it(`${name}`, async () => {
      const problems = await problemsOf(text)
      const found = problems.find((problem) => message.test(problem.message))
      assert.ok(found, JSON.stringify(problems, null, 1))
      assert.deepEqual(places([found]), [place])
    })
  }

  it('one that is not there, or is a folder', async (context) => {
    const folder = await mkdtemp(join(tmpdir(), 'holdfast-config-'))
    context.after(() => rm(folder, { recursive: true }))
    const messageOf = async (path: string) => (await loadConfig(path)).problems?.map(({ message }) => message)
    assert.deepEqual(await messageOf(join(folder, 'none.yaml')), [`There is no file ${join(folder, 'none.yaml')}.`])
    assert.deepEqual(await messageOf(folder), [`${folder} is a folder, not a file.`])
  })

  it('an error of syntax is told once, not once for everything after it', async () => {
    await problemOf('databases:\n  - path: [a\n    follow: {x\n  name: ]\n')
  })
})

describe('aliases', () => {
  it('stand for what they name', async () => {
    const text = `databases:
  - { path: a.db, retention: &usual { daily: 3 } }
  - { path: b.db, retention: *usual }
`
    const { databases } = await loadOk(text)
    assert.deepEqual(databases[1]?.retention, databases[0]?.retention)
  })

  it('are told where they are, and what they name where it is', async () => {
    const text = 'databases:\n  - { path: a.db, tags: &t { a: 1 } }\n  - { path: b.db, tags: *t }\n'
    assert.deepEqual(places(await problemsOf(text)), ['2:33 databases[0].tags.a', '2:33 databases[1].tags.a'])
  })

  it('that stand for themselves, or for more than there is room for, are refused', async () => {
    const loop = await problemsOf('databases: &a\n  - *a\n')
    assert.match(loop.map(({ message }) => message).join(), /An alias stands for what it is a part of/)
    const levels = Array.from({ length: 30 }, (_, level) => `l${level + 1}: &l${level + 1} [*l${level}, *l${level}]`)
    const bomb = await problemsOf(`l0: &l0 [x, x]\n${levels.join('\n')}\n`)
    assert.match(bomb.map(({ message }) => message).join(), /stand for too many values/)
  })

  it('or brackets that nest without end are refused', async () => {
    for (const text of ['['.repeat(50_000), `databases: ${'{a: '.repeat(60)}x${'}'.repeat(60)}\n`, '- '.repeat(50_000)])
      assert.match((await problemsOf(text)).map(({ message }) => message).join(), /Nested too deeply/)
  })
})

it('a byte order mark, Windows line ends and a document mark are fine', async () => {
  assert.equal((await load(`\ufeff---\r\ndatabases:\r\n  - path: a.db\r\n`)).problems, undefined)
})
