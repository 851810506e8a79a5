import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { stringify } from 'yaml'
import type { Config } from '../../../src/agent/config/config.ts'
import { exampleConfig } from '../../../src/agent/config/example.ts'
import { configJsonSchema } from '../../../src/agent/config/json-schema.ts'
import { rootShape } from '../../../src/agent/config/schema/config-schema.ts'
import { databaseShape } from '../../../src/agent/config/schema/database-schema.ts'
import { configDocument } from '../../../src/agent/config/show/config-document.ts'
import { runHook } from '../../../src/agent/hooks/run-hook.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { loadOk } from './support/load-text.ts'

const all = exampleConfig.replace(/^( *)# (?= *(- )?(\{|\w+:( |$)|\/))/gm, '$1')
const files = { '/run/secrets/webhook': 'x', '/run/secrets/smtp': 'y' }

/** Without mirrors, hooks of all databases are shown with each. */
function withoutPlaces({ databases, ...config }: Config): object {
  return {
    ...config,
    databases: databases.map((each) => ({ ...each, hooks: each.hooks.map(({ place: _, ...hook }) => hook) })),
  }
}

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

  it('skips a backup during maintenance, and makes it at any other time', async () => {
    using folder = temporaryFolder()
    const marker = folder.file('maintenance')
    const { databases } = await loadOk(exampleConfig)
    const hook = databases[0]?.hooks.find(({ moment }) => moment === 'before') ?? assert.fail()
    assert.match(String(hook.command), /\/run\/maintenance/)
    const command = String(hook.command).replaceAll('/run/maintenance', marker)
    const run = async () => {
      const context = { moment: 'before', operation: 'backup', repository: 'file:///srv', trigger: 'schedule' } as const
      return (await runHook({ ...hook, command }, context)).verdict
    }
    assert.equal(await run(), 'go-on')
    await writeFile(marker, '')
    assert.equal(await run(), 'skip')
  })

  it('names every key of the file and of a database', () => {
    for (const key of [...Object.keys(rootShape), ...Object.keys(databaseShape)])
      assert.match(exampleConfig, new RegExp(`\\b${key}:`), key)
  })

  it('shown and read again, means the same', async () => {
    for (const text of [exampleConfig, all]) {
      const config = { ...(await loadOk(text, { files })), notify: [], mirrors: [] }
      assert.deepEqual(withoutPlaces(await loadOk(stringify(configDocument(config)))), withoutPlaces(config))
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
