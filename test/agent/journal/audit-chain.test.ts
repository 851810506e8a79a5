import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import {
  type AuditEntry,
  chainStart,
  entryHash,
  type StoredEntry,
} from '../../../src/agent/journal/audit/audit-entry.ts'
import { canonicalJson } from '../../../src/agent/journal/audit/canonical-json.ts'
import { checkChain } from '../../../src/agent/journal/audit/check-chain.ts'
import { exportedLines, parseExported } from '../../../src/agent/journal/audit/exported-log.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { actor } from './support/journals.ts'

function entryOf(sequence: number): AuditEntry {
  return {
    sequence,
    time: new Date(1_800_000_000_000 + sequence).toISOString(),
    event: sequence % 2 === 1 ? 'begin' : 'end',
    operation: `o${Math.ceil(sequence / 2)}`,
    kind: 'backup',
    subtype: null,
    trigger: 'manual',
    schedule: null,
    database: 'app',
    repository: 'memory:',
    actor,
    parameters: { force: false },
    outcome: null,
    code: null,
    backupId: null,
  }
}

function chainOf(length: number) {
  const chain = randomUUID()
  const entries: StoredEntry[] = []
  for (let sequence = 1; sequence <= length; sequence += 1) {
    const text = canonicalJson(entryOf(sequence))
    entries.push({ sequence, text, hash: entryHash(entries.at(-1)?.hash ?? chainStart(chain), text) })
  }
  const head = { chain, sequence: length, hash: entries.at(-1)?.hash ?? chainStart(chain) }
  return { entries, head }
}

/** As somebody would leave the table who numbers its rows anew. */
function renumbered(entries: readonly StoredEntry[]): StoredEntry[] {
  return entries.map((entry, index) => ({ ...entry, sequence: index + 1 }))
}

const lengthAndPlace = fc
  .integer({ min: 2, max: 12 })
  .chain((length) => fc.tuple(fc.constant(length), fc.integer({ min: 1, max: length })))

/** Where the check says that the first bad entry is. */
function foundAt(entries: readonly StoredEntry[], head: Parameters<typeof checkChain>[1]): number | undefined {
  const { finding, entries: good } = checkChain(entries, head)
  assert.ok(finding === undefined || finding.sequence > good)
  return finding?.sequence
}

it('a log whose head is gone proves nothing, and that is a finding; one without anything is none', () => {
  const { entries } = chainOf(3)
  const { entries: good, finding } = checkChain(entries, undefined)
  assert.deepEqual([good, finding?.sequence], [0, 1])
  assert.match(finding?.problem ?? '', /^The head of the log is missing/)
  assert.deepEqual(checkChain([], undefined), { entries: 0, finding: undefined })
})

describe('the chain of the audit log', () => {
  it('is whole as it was written', () => {
    for (const length of [0, 1, 2, 30]) {
      const { entries, head } = chainOf(length)
      assert.deepEqual(checkChain(entries, head), { entries: length, finding: undefined })
    }
  })

  it('shows the first entry that was changed, whatever was changed in it, and whether its hash was made to fit', () => {
    fc.assert(
      fc.property(lengthAndPlace, fc.boolean(), fc.string({ minLength: 1 }), ([length, place], fits, user) => {
        const { entries, head } = chainOf(length)
        const previous = entries[place - 2]?.hash ?? chainStart(head.chain)
        const text = canonicalJson({ ...entryOf(place), actor: { ...actor, user: `${user}!` } })
        const hash = fits ? entryHash(previous, text) : (entries[place - 1]?.hash ?? '')
        const changed = entries.with(place - 1, { sequence: place, text, hash })
        // With a hash that fits, that of the next one does not; the last one's is known to the head.
        assert.equal(foundAt(changed, head), fits && place < length ? place + 1 : place)
      }),
    )
  })

  it('shows where entries were removed, also if the others were numbered anew', () => {
    fc.assert(
      fc.property(lengthAndPlace, fc.boolean(), ([length, place], anew) => {
        const { entries, head } = chainOf(length)
        const left = entries.toSpliced(place - 1, 1)
        assert.equal(foundAt(anew ? renumbered(left) : left, head), place)
      }),
    )
  })

  it('shows where an entry was inserted, or copied', () => {
    fc.assert(
      fc.property(lengthAndPlace, ([length, place]) => {
        const { entries, head } = chainOf(length)
        const previous = entries[place - 1]?.hash ?? ''
        const text = canonicalJson(entryOf(place + 1))
        const forged = { sequence: 0, text, hash: entryHash(previous, text) }
        const user = { ...forged, text: canonicalJson({ ...entryOf(place + 1), actor: { ...actor, user: 'eve' } }) }
        assert.notEqual(foundAt(renumbered(entries.toSpliced(place, 0, user)), head), undefined)
        const copy = entries[place - 1]
        assert.ok(copy)
        assert.equal(foundAt(renumbered(entries.toSpliced(place, 0, copy)), head), place + 1)
      }),
    )
  })

  it('shows where two entries changed places', () => {
    fc.assert(
      fc.property(lengthAndPlace, ([length, place]) => {
        const { entries, head } = chainOf(length + 1)
        const [a, b] = [entries[place - 1], entries[place]]
        assert.ok(a && b)
        assert.equal(foundAt(renumbered(entries.toSpliced(place - 1, 2, b, a)), head), place)
      }),
    )
  })

  it('that was cut off at its end is found by its head, and by what others remember', () => {
    const { entries, head } = chainOf(9)
    const left = entries.slice(0, 6)
    const last = left.at(-1)
    assert.ok(last)
    assert.match(
      checkChain(left, head).finding?.problem ?? '',
      /^Entries 7 to 9 are missing at the end: the journal itself/,
    )
    // Whoever cuts the head as well is given away by the repository.
    const cutHead = { ...head, sequence: last.sequence, hash: last.hash }
    assert.equal(checkChain(left, cutHead).finding, undefined)
    const noted = { sequence: 7, hash: entries[6]?.hash ?? '', at: 'file:///srv' }
    assert.deepEqual(checkChain(left, cutHead, [noted]).finding, {
      sequence: 7,
      problem: 'Entry 7 is missing at the end: file:///srv remembers more.',
    })
  })

  it('that was written anew from its start is found by what others remember', () => {
    const { entries, head } = chainOf(5)
    const noted = { sequence: 3, hash: 'f'.repeat(64), at: 'file:///srv' }
    assert.deepEqual(checkChain(entries, head, [noted]).finding, {
      sequence: 3,
      problem: 'Entry 3, or one before it, was written anew: file:///srv remembers another.',
    })
    assert.equal(checkChain(entries, head, [{ ...noted, hash: entries[2]?.hash ?? '' }]).finding, undefined)
  })

  it('that was gone on with past its head is found', () => {
    const { entries, head } = chainOf(5)
    const before = entries[3]
    assert.equal(foundAt(entries, { ...head, sequence: 4, hash: before?.hash ?? '' }), 5)
  })
})

describe('an exported log', () => {
  const exported = () => {
    const { entries, head } = chainOf(7)
    return { head, text: `${[...exportedLines(head.chain, entries)].join('\n')}\n` }
  }

  it('says the same', () => {
    const { head, text } = exported()
    const parsed = parseExported(text, 'x')
    assert.deepEqual(parsed.head, head)
    assert.equal(checkChain(parsed.entries, parsed.head).finding, undefined)
  })

  it('shows any changed byte, and any line that is missing before the last', () => {
    const { text } = exported()
    const lines = text.split('\n')
    const check = (changed: string) => {
      const { entries, head } = parseExported(changed, 'x')
      return checkChain(entries, head).finding
    }
    for (let line = 1; line < 7; line += 1)
      assert.equal(check(lines.toSpliced(line, 1).join('\n'))?.sequence, line, `without line ${line}`)
    for (let position = text.indexOf('\n') + 1; position < text.length - 1; position += 13) {
      const changed = `${text.slice(0, position)}${text[position] === '5' ? '6' : '5'}${text.slice(position + 1)}`
      assert.notEqual(check(changed), undefined, `at ${position}`)
    }
  })

  it('can be checked by sha256sum alone, as the documentation says', () => {
    using folder = temporaryFolder()
    const { head, text } = exported()
    const path = folder.file('audit.log')
    writeFileSync(path, text)
    const script = `
      previous=$(head -n 1 "$1" | tr -d '\\n' | sha256sum | cut -c 1-64)
      tail -n +2 "$1" | while read -r hash entry; do
        [ "$(printf '%s\\n%s' "$previous" "$entry" | sha256sum | cut -c 1-64)" = "$hash" ] || { echo "bad: $entry"; exit 1; }
        previous=$hash
      done`
    execFileSync('sh', ['-c', script, 'sh', path], { stdio: 'pipe' })
    writeFileSync(path, text.replace('"force":false', '"force":true'))
    assert.throws(() => execFileSync('sh', ['-c', script, 'sh', path], { stdio: 'pipe' }))
    assert.match(head.hash, /^[0-9a-f]{64}$/)
  })
})

describe('canonical JSON', () => {
  it('is one text for one value, whatever the order of the keys, and means the same', () => {
    const keys = fc.uniqueArray(fc.oneof(fc.string(), fc.constantFrom('10', '9', '__proto__')), { maxLength: 6 })
    fc.assert(
      fc.property(keys, fc.jsonValue(), (names, value) => {
        const entries = names.map((name, i) => [name, i] as const)
        const plain = (list: typeof entries) => canonicalJson(Object.fromEntries(list))
        assert.equal(plain(entries), plain(entries.toReversed()))
        const json = JSON.stringify(value)
        assert.deepEqual(JSON.parse(canonicalJson(JSON.parse(json))), JSON.parse(json))
      }),
    )
    assert.equal(canonicalJson({ b: [1, { z: null, a: 'ä"' }], a: true }), '{"a":true,"b":[1,{"a":"ä\\"","z":null}]}')
  })
})
