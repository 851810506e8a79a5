import assert from 'node:assert/strict'
import { it } from 'node:test'
import { z } from 'zod'
import { parseOptions } from '../../src/engine/parse-options.ts'
import { HoldfastError } from '../../src/errors.ts'

const schema = z.strictObject({
  path: z.string().min(1),
  level: z.enum(['low', 'high']).optional(),
  part: z.number().gt(0).max(1).optional(),
  names: z.array(z.string()).min(1).optional(),
  deep: z.strictObject({ on: z.boolean() }).optional(),
  state: z
    .union([
      z.literal('all'),
      z.discriminatedUnion('by', [z.strictObject({ by: z.literal('lsn'), lsn: z.int().min(1) })]),
    ])
    .optional(),
})

const cases: readonly (readonly [unknown, string])[] = [
  [{}, '"path" is missing.'],
  [undefined, 'The argument is missing.'],
  [7, 'The argument must be an object, not 7.'],
  [{ path: '' }, '"path" must not be empty.'],
  [{ path: 5 }, '"path" must be a string, not 5.'],
  [{ path: 'p', level: 'mid' }, '"level" must be one of "low", "high", not "mid".'],
  [{ path: 'p', part: 0 }, '"part" must be more than 0, not 0.'],
  [{ path: 'p', part: 1.5 }, '"part" must be at most 1, not 1.5.'],
  [{ path: 'p', names: [] }, '"names" must not be empty.'],
  [{ path: 'p', names: [1n] }, '"names.0" must be a string, not 1.'],
  [{ path: 'p', deep: { on: 'x'.repeat(200) } }, `"deep.on" must be true or false, not "${'x'.repeat(59)}….`],
  [{ path: 'p', deep: { on: true, of: 1 } }, 'There is no option "deep.of".'],
  [{ path: 'p', state: { by: 'lsn', lsn: 0 } }, '"state.lsn" must be 1 or more, not 0.'],
  [{ path: 'p', state: { by: 'x' } }, '"state.by" makes no sense: "x".'],
  [{ path: 'p', state: 3 }, '"state" makes no sense: 3.'],
  [{ path: 5, levl: 1 }, '"path" must be a string, not 5. There is no option "levl".'],
]

it('what is wrong with options is said in plain words', () => {
  for (const [options, message] of cases)
    assert.throws(
      () => parseOptions(schema, options),
      (error) => {
        assert.ok(error instanceof HoldfastError)
        assert.deepEqual([error.code, error.message], ['USAGE', message])
        return true
      },
    )
  assert.deepEqual(parseOptions(schema, { path: 'p', part: 1 }), { path: 'p', part: 1 })
})
