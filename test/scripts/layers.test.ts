import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { mayImport } from '../../scripts/layers.ts'

const root = join(import.meta.dirname, '..', '..')

/** The two over all others, of which CONTRIBUTING.md speaks in words of their own. */
const apart = ['conformance', 'index']

describe('the layers', () => {
  it('are those of the table in CONTRIBUTING.md', () => {
    const told = tableOf(readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8'))
    const enforced = Object.entries(mayImport)
      .filter(([part]) => !apart.includes(part))
      .map(([part, others]) => [part, others.toSorted()])
    assert.deepEqual(told, Object.fromEntries(enforced))
  })

  it('have every part of src/, and no other', () => {
    const parts = readdirSync(join(root, 'src')).map((name) => name.replace(/\.ts$/, ''))
    assert.deepEqual(Object.keys(mayImport).sort(), parts.sort())
  })
})

/** Rows such as "| `part` | `one`, `other` and all below it |". */
function tableOf(text: string): Record<string, string[]> {
  const [, layers = ''] = text.split('## Layers')
  const rows = [...layers.matchAll(/^\| `(?<part>\w+)`[^|]*\| (?<cell>[^|]+) \|$/gm)].map(({ groups }) => ({
    part: groups?.['part'] ?? '',
    cell: groups?.['cell'] ?? '',
  }))
  const parts = rows.map(({ part }) => part)
  const below = (part: string | undefined) => parts.slice(parts.indexOf(part ?? '') + 1)
  return Object.fromEntries(
    rows.map(({ part, cell }) => {
      const named = [...cell.matchAll(/`(\w+)`/g)].flatMap(([, name]) => name ?? [])
      const more = cell === 'all below' ? below(part) : cell.endsWith('and all below it') ? below(named.at(-1)) : []
      assert.ok(named.length > 0 || more.length > 0 || cell === 'nothing', `not understood: ${cell}`)
      return [part, [...new Set([...named, ...more])].sort()]
    }),
  )
}
