import assert from 'node:assert/strict'
import { it } from 'node:test'
import { isUnknownKey, unknownKey } from '../../../src/agent/expectations/unknown-work.ts'
import { conditionKey } from '../../../src/agent/notify/alert.ts'

it('that something is unknown has a key that no database has, whatever its name', () => {
  for (const id of ['app', 'unknown', 'agents/', 'a/unknown', 'agents/1.json'])
    assert.ok(isUnknownKey(unknownKey(id)), unknownKey(id))
  for (const name of ['unknown', 'app', 'overdue'])
    for (const details of [[], ['verify'], ['drill']])
      assert.ok(!isUnknownKey(conditionKey('overdue', name, ...details)), conditionKey('overdue', name, ...details))
  assert.ok(!isUnknownKey(conditionKey('failure', 'app', 'unknown')))
})
