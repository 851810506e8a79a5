/** Whatever an agent can tell of must be shown, by a test of a whole agent, to fire and to clear. */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { pathToFileURL } from 'node:url'
import { operationKinds } from '../../../src/agent/journal/operation.ts'
import { alertKinds } from '../../../src/agent/notify/alert.ts'
import { observeOperation } from '../../../src/agent/notify/conditions/operation.ts'
import { provedAlerts } from './support/proved-alerts.ts'

const agentFolder = join(import.meta.dirname, '../../../src/agent')
const testFolder = join(import.meta.dirname, '..')

const known = new Set<string>(Object.values(provedAlerts).map(({ from }) => from))
const keys = new Set<string>(Object.values(provedAlerts).map(({ key }) => key))

describe('every alert of a running agent', () => {
  it('is proved in a test', () => {
    const proved = new Set<string>()
    for (const file of globSync('**/*.test.ts', { cwd: testFolder })) {
      const source = readFileSync(join(testFolder, file), 'utf8')
      for (const [, what = ''] of source.matchAll(/inbox\.proves\('([^']+)'/g)) proved.add(what)
    }
    assert.deepEqual([...proved].sort(), Object.keys(provedAlerts).sort())
  })

  it('is known: each condition', async () => {
    for (const file of globSync('notify/conditions/*.ts', { cwd: agentFolder })) {
      const module: object = await import(pathToFileURL(join(agentFolder, file)).href)
      for (const name of Object.keys(module))
        if (name.startsWith('observe')) assert.ok(known.has(name), `${name} is proved by no running agent`)
    }
  })

  it('is known: each kind of alert', () => {
    const kinds = new Set([...keys].map((key) => key.split('/')[0]))
    assert.deepEqual([...kinds].sort(), alertKinds.toSorted())
  })

  it('is known: each kind of operation whose failure is told', () => {
    for (const kind of operationKinds) {
      const times = { startedAt: 1, endedAt: 2 }
      const operation = { id: '1', kind, database: 'app', repository: 'r', trigger: 'schedule', ...times } as const
      for (const observation of observeOperation({ ...operation, outcome: 'failed' })) {
        assert.ok(observation.what === 'happened')
        const [first = '', second = ''] = observation.condition.key.split('/')
        assert.ok(keys.has(first) || keys.has(`${first}/${second}`), observation.condition.key)
      }
    }
  })

  it('is known: each that is made elsewhere', () => {
    const elsewhere = globSync('**/*.ts', { cwd: agentFolder })
      .filter((file) => !/^notify[\\/](conditions|engine)[\\/]/.test(file))
      .filter((file) => /what: '(present|happened)'/.test(readFileSync(join(agentFolder, file), 'utf8')))
    assert.ok(elsewhere.length > 0)
    for (const file of elsewhere)
      assert.ok(known.has(file.replaceAll('\\', '/')), `${file} is proved by no running agent`)
  })
})
