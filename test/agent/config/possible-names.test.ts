import assert from 'node:assert/strict'
import { matchesGlob } from 'node:path'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { canFind } from '../../../src/agent/config/check/possible-names.ts'
import { distinctName, nameBelow } from '../../../src/agent/discovery/database-names.ts'

describe('a pattern', () => {
  it('can find what has the name of a file that it matches, whatever that is', () => {
    const word = fc.constantFrom('a', 'ab', 'acme', 'Ä b', '.c', '-d', 'x.y', '1', 'b,c')
    const end = fc.constantFrom('', '.db', '.sqlite', '.DB', '.txt')
    const piece = fc.constantFrom(
      '*',
      '**',
      '?',
      'a*',
      '*b',
      'a',
      'ab',
      'acme',
      '{a,acme}',
      '[a-c]',
      'Ä b',
      '.c',
      '-d',
      '*.*',
    )
    const ends = fc.constantFrom('', '.db', '.*', '.{db,sqlite}', '.s*', '.[dD]B', '{.db,.sqlite}')
    let matched = 0
    fc.assert(
      fc.property(
        fc.array(piece, { minLength: 1, maxLength: 4 }),
        ends,
        fc.array(word, { minLength: 1, maxLength: 4 }),
        end,
        (pieces, patternEnd, words, fileEnd) => {
          const pattern = `/srv/${pieces.join('/')}${patternEnd}`
          const path = `/srv/${words.join('/')}${fileEnd}`
          if (!matchesGlob(path, pattern)) return
          matched += 1
          const name = nameBelow(pattern, path)
          assert.ok(canFind(pattern, name), `${pattern} finds ${path}, which is called ${name}`)
          assert.ok(canFind(pattern, distinctName(name, path)))
        },
      ),
      { numRuns: 10_000 },
    )
    assert.ok(matched > 50, `only ${matched} matched`)
  })

  it('cannot find what is called otherwise', () => {
    for (const [pattern, name] of [
      ['/srv/tenants/shop-*.db', 'blog'],
      ['/srv/tenants/shop-*.db', 'shop'],
      ['/srv/*/app.db', 'acme'],
      ['/srv/*/app.{db,sqlite}', 'acme'],
      ['/srv/**/main.db', 'mian'],
      ['/srv/?.db', 'abc'],
    ] as const)
      assert.ok(!canFind(pattern, name), `${pattern} ${name}`)
  })

  it('that is too hard to tell can find anything', () => {
    assert.ok(canFind('/srv/!(a|b).db', 'x'))
    assert.ok(canFind('/srv/a.db', 'x'.repeat(100)))
  })
})
