import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { stringify } from 'yaml'
import { exampleConfig } from '../../../src/agent/config/example.ts'
import { configJsonSchema } from '../../../src/agent/config/json-schema.ts'
import { rootShape } from '../../../src/agent/config/schema/config-schema.ts'
import { databaseShape } from '../../../src/agent/config/schema/database-schema.ts'
import { configDocument } from '../../../src/agent/config/show/config-document.ts'
import { loadOk } from './support/load-text.ts'

const all = exampleConfig.replace(/^( *)# (?= *(- )?(\{|\w+:( |$)|\/))/gm, '$1')
const files = { '/run/secrets/webhook': 'x', '/run/secrets/smtp': 'y' }

describe('the example', () => {
  it('is a configuration without problems, and without placeholders that would fail', async () => {
    const { databases, notify } = await loadOk(exampleConfig)
    assert.deepEqual([databases.length, notify.map(({ type }) => type)], [1, ['command']])
    const [{ drill } = assert.fail()] = databases
    assert.deepEqual([drill.assertions, drill.expectTables, drill.command], [[], {}, undefined])
    const active = exampleConfig.replace(/#.*$/gm, '')
    assert.doesNotMatch(active, /example\.com|\/srv\//)
  })

  it('is one with all that is commented out, too', async () => {
    const { databases, mirrors, notify, stateFolder } = await loadOk(all, { files })
    assert.deepEqual([databases.length, mirrors.length, notify.length], [2, 2, 5])
    assert.equal(stateFolder, '/var/lib/holdfast')
    assert.deepEqual(databases[1]?.schedules.map(({ trigger }) => trigger.on).slice(2, 6), [
      'cron',
      'commits',
      'bytes',
      'quiet',
    ])
  })

  it('names every key of the file and of a database', () => {
    for (const key of [...Object.keys(rootShape), ...Object.keys(databaseShape)])
      assert.match(exampleConfig, new RegExp(`\\b${key}:`), key)
  })

  it('shown and read again, means the same', async () => {
    for (const text of [exampleConfig, all]) {
      const config = { ...(await loadOk(text, { files })), notify: [], mirrors: [] }
      assert.deepEqual(await loadOk(stringify(configDocument(config))), config)
    }
  })
})

it('docs/holdfast.schema.json says what the schema says (UPDATE_DOCS=1 writes it, npm run format formats it)', async () => {
  const path = join(import.meta.dirname, '../../../docs/holdfast.schema.json')
  const schema = configJsonSchema()
  if (process.env['UPDATE_DOCS'] === '1') await writeFile(path, `${JSON.stringify(schema, null, 2)}\n`)
  assert.deepEqual(JSON.parse(await readFile(path, 'utf8')), schema)
})

it('docs/configuration.md has every key', async () => {
  const text = await readFile(join(import.meta.dirname, '../../../docs/configuration.md'), 'utf8')
  const keys = new Set<string>()
  JSON.stringify(configJsonSchema(), (_name, value) => {
    for (const key of Object.keys(value?.properties ?? {})) keys.add(key)
    return value
  })
  assert.ok(keys.size > 80)
  const missing = [...keys].filter((key) => !new RegExp(`\\b${key}\\b`).test(text))
  assert.deepEqual(missing, [])
})
