import assert from 'node:assert/strict'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { it } from 'node:test'
import { jsonDocument } from './support/json-document.ts'

const path = join(import.meta.dirname, '../../docs/cli-json.md')

it('docs/cli-json.md says what the schemas say (UPDATE_DOCS=1 writes it)', async () => {
  const document = jsonDocument()
  if (process.env['UPDATE_DOCS'] === '1') {
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, document)
  }
  assert.equal(await readFile(path, 'utf8'), document)
})
