import assert from 'node:assert/strict'
import { it } from 'node:test'
import { isBeginning } from '../../../src/agent/mirrors/is-beginning.ts'
import { parseScheduleSpec } from '../../../src/agent/schedule/parse-schedule.ts'
import { HoldfastError } from '../../../src/errors.ts'

const error = new HoldfastError('NOT_A_DATABASE', 'It is none.')
const followed = (state: 'starting' | 'following' | 'waiting', failure?: HoldfastError) => {
  return [{ followed: { facts: { state, error: failure } } }]
}
const run = (type: 'full' | 'drill', state: 'waiting' | 'queued' | 'running') => {
  return [{ database: 'app', schedule: parseScheduleSpec({ type, every: 'daily' }), state }]
}

it('a repository is being begun while the first state or backup of a database is on its way, not while something fails or goes on', () => {
  const is = (
    databases: Parameters<typeof isBeginning>[0],
    runs: Parameters<typeof isBeginning>[1],
    backedUp = false,
  ) => isBeginning(databases, runs, () => backedUp)
  assert.equal(is(followed('starting'), []), true)
  assert.equal(is(followed('starting', error), []), false)
  assert.equal(is([...followed('following'), ...followed('waiting', error)], run('full', 'waiting')), false)
  assert.equal(is([{ followed: undefined }], run('full', 'queued')), true)
  assert.equal(is([], run('full', 'running')), true)
  assert.equal(is([], run('full', 'running'), true), false, 'one of many')
  assert.equal(is([], run('drill', 'running')), false)
})
