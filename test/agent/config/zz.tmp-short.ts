// biome-ignore-all lint/suspicious/noTemplateCurlyInString: such texts are what the configuration has
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { stringify } from 'yaml'
import { exampleConfig } from '../../../src/agent/config/example.ts'
import { rootShape } from '../../../src/agent/config/schema/config-schema.ts'
import { databaseShape, whichShape } from '../../../src/agent/config/schema/database-schema.ts'
import { configDocument } from '../../../src/agent/config/show/config-document.ts'
import { load } from './support/load-text.ts'

/** Whatever comes in, there is a configuration that can be shown, or problems each with a place in the file. */
async function survives(text: string | Uint8Array): Promise<void> {
  const { value, problems, text: read } = await load(text, { env: { A: '1', B: 'x: [' } })
  if (value !== undefined) {
    JSON.stringify(configDocument(value))
    return
  }
  assert.ok(problems !== undefined && problems.length > 0)
  const lines = read.split('\n')
  let before = 0
  for (const { line, column, length, message } of problems) {
    const found = lines[line - 1]
    assert.ok(found !== undefined, `line ${line} of ${lines.length}: ${message}`)
    assert.ok(column >= 1 && column <= found.length + 1, `column ${column} of ${found.length}: ${message}`)
    assert.ok(length >= 1)
    assert.match(message, /[.!?]$/)
    assert.ok(line >= before, 'in the order of the file')
    before = line
  }
}

const words = [
  ...Object.keys(rootShape),
  ...Object.keys(databaseShape),
  ...Object.keys(whichShape),
  ...[
    'every',
    'at',
    'cron',
    'type',
    'webhook',
    'email',
    'heartbeat',
    'url',
    'before',
    'command',
    '__proto__',
    '<<',
    'size',
  ],
]

const scalar = fc.oneof(
  fc.constantFrom(
    'daily',
    'full',
    '10m',
    '64MiB',
    '10%',
    'https://x/y',
    '${A}',
    '${B}',
    '${C}',
    '$${A}',
    'never',
    'a@b',
    '~/x',
  ),
  fc.boolean(),
  fc.constant(null),
  fc.double(),
  fc.integer(),
  fc.string({ unit: 'binary' }),
)

const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 5 },
    scalar,
    fc.array(tie('tree'), { maxLength: 4 }),
    fc.dictionary(fc.oneof(fc.constantFrom(...words), fc.string()), tie('tree'), { maxKeys: 5 }),
  ),
}))

const pieces = fc.constantFrom(
  '\n',
  ' ',
  '\t',
  ': ',
  '- ',
  '[',
  ']',
  '{',
  '}',
  '"',
  "'",
  '&a ',
  '*a',
  '!x ',
  '#',
  '|\n',
  '---\n',
  '${',
  '}',
  ',',
  '%',
  '<<: *a',
  '? ',
)

const edit = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  remove: fc.nat(20),
  insert: fc.oneof(pieces, fc.string({ maxLength: 5 }), fc.constantFrom(...words)),
})

function edited(text: string, edits: readonly { at: number; remove: number; insert: string }[]): string {
  return edits.reduce((changed, { at, remove, insert }) => {
    const place = Math.floor(at * changed.length)
    return changed.slice(0, place) + insert + changed.slice(place + remove)
  }, text)
}

describe('no file brings the loader down, and every problem has its place', () => {
  it('trees of YAML', async () => {
    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.constantFrom(...words), tree, { maxKeys: 6 }), (content) =>
        survives(stringify(content)),
      ),
      { numRuns: 300, seed: Number(process.env.SEED) * 7919 + 13 },
    )
  })

  for (let i = 0; i < 250; i++) it(`databases ${i} that say anything`, async () => { process.env.SEED = String(i + Number(process.env.BASE)); await one() }); const one = (async () => {// anything', async () => {
    const settings = Object.fromEntries(Object.keys({ ...whichShape, ...databaseShape }).map((key) => [key, tree]))
    await fc.assert(
      fc.asyncProperty(fc.array(fc.record(settings, { requiredKeys: [] }), { maxLength: 3 }), (databases) =>
        survives(stringify({ databases })),
      ),
      { numRuns: 200, seed: Number(process.env.SEED) * 7919 + 13 },
    )
  })

  it('texts', async () => {
    const text = fc
      .array(fc.oneof(pieces, fc.constantFrom(...words), fc.string()), { maxLength: 60 })
      .map((all) => all.join(''))
    await fc.assert(fc.asyncProperty(text, survives), { numRuns: 500, seed: Number(process.env.SEED) * 7919 + 13 })
  })

  it('bytes', async () => {
    await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), survives), { numRuns: 300, seed: Number(process.env.SEED) * 7919 + 13 })
  })

  it('the example with some edits', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(edit, { minLength: 1, maxLength: 4 }), (edits) =>
        survives(edited(exampleConfig, edits)),
      ),
      { numRuns: 200, seed: Number(process.env.SEED) * 7919 + 13 },
    )
  })
})
