// biome-ignore-all lint/suspicious/noTemplateCurlyInString: such texts are what the configuration has
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { interpolate } from '../../../src/agent/config/interpolate.ts'
import { loadOk, problemOf, problemsOf } from './support/load-text.ts'

describe('environment in values', () => {
  const env = { NAME: 'value', EMPTY: '', BRACES: '${NAME}' }
  const cases: readonly (readonly [text: string, result: string])[] = [
    ['plain', 'plain'],
    ['${NAME}', 'value'],
    ['a-${NAME}-${NAME}', 'a-value-value'],
    ['${NONE:-other}', 'other'],
    ['${NONE:-}', ''],
    ['${EMPTY:-other}', 'other'],
    ['${EMPTY}', ''],
    ['${NAME:-other}', 'value'],
    ['${NONE:-a:-b}', 'a:-b'],
    ['$${NAME}', '${NAME}'],
    ['$$${NAME}', '$${NAME}'],
    ['$NAME $', '$NAME $'],
    // What a variable holds is not looked at again.
    ['${BRACES}', '${NAME}'],
  ]
  for (const [text, result] of cases) {
    it(`makes ${JSON.stringify(result)} of ${text}`, () => assert.deepEqual(interpolate(text, env), { text: result }))
  }

  for (const text of ['${NONE}', '${}', '${A B}', '${NAME', '${NAME-x}', '${1A}']) {
    it(`refuses ${text}`, () => assert.equal(interpolate(text, env).problems?.length, 1))
  }
})

describe('environment in a configuration', () => {
  it('cannot change the structure', async () => {
    const { databases } = await loadOk('databases:\n  - path: ${DB}\n    tags: { note: "${NOTE}" }\n', {
      env: { DB: 'a.db\n  - path: b.db', NOTE: 'x }, follow: false' },
    })
    assert.equal(databases.length, 1)
    assert.deepEqual(databases[0]?.source, {
      kind: 'path',
      path: '/etc/holdfast/a.db\n  - path: b.db',
      name: undefined,
    })
    assert.deepEqual(databases[0]?.tags, { note: 'x }, follow: false' })
    assert.ok(databases[0]?.follow)
  })

  it('is not looked for in keys', async () => {
    const { databases } = await loadOk('databases:\n  - path: a.db\n    tags:\n      ${KEY}: x\n', {
      env: { KEY: 'a' },
    })
    assert.deepEqual(databases[0]?.tags, { '${KEY}': 'x' })
  })

  it('may hold numbers, flags, durations and words', async () => {
    const text = `databases:
  - path: a.db
    follow: { enableWal: "\${WAL}", syncInterval: "\${SYNC}" }
    retention: { daily: "\${DAYS}" }
    validation: \${VALIDATION}
`
    const { databases } = await loadOk(text, { env: { WAL: 'true', SYNC: '3s', DAYS: '7', VALIDATION: 'integrity' } })
    const [database] = databases
    assert.deepEqual([database?.follow?.enableWal, database?.follow?.syncIntervalMs], [true, 3000])
    assert.deepEqual([database?.retention?.daily, database?.validation], [7, 'integrity'])
  })

  it('of a password stays a text, whatever it looks like', async () => {
    const text =
      'databases: [{ path: a.db }]\nnotify:\n  - email: { host: h, user: u, password: "${PASS}", from: a@b, to: c@d }\n'
    const { notify } = await loadOk(text, { env: { PASS: '012345' } })
    assert.ok(notify[0]?.type === 'email')
    assert.equal(notify[0].settings.password, '012345')
  })

  it('that is not set is a problem in its line, and nothing more is said of the value', async () => {
    await problemOf('databases:\n  - path: a.db\n    verify: { every: "${NONE}" }\n')
    await problemOf('databases:\n  - path: a.db\n    schedules: [{ type: full, cron: "${NONE}" }]\n')
    const { path, line, column, message } = await problemOf('databases:\n  - path: a.db\n    overdueAfter: ${NONE}\n')
    assert.deepEqual([path, line, column], ['databases[0].overdueAfter', 3, 19])
    assert.match(message, /^The environment variable NONE is not set\. /)
  })

  it('in { } needs quotes, and says so', async () => {
    const [problem] = await problemsOf('databases: [{ path: ${DB} }]\n')
    assert.deepEqual([problem?.line, problem?.column], [1, 21])
    assert.match(problem?.message ?? '', /must stand in quotes/)
  })
})
