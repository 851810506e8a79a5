import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wants } from '../../../src/agent/notify/filter.ts'
import { anAlert } from './support/alerts.ts'

const failure = anAlert()
const over = anAlert({ state: 'recovered' })
const mild = anAlert({ severity: 'warning' })
const { database: _database, ...general } = anAlert({ kind: 'disk', key: 'disk/srv' })

test('a channel that says nothing is told everything', () => {
  for (const alert of [failure, over, mild, general]) assert.equal(wants({}, alert), true)
})

test('a channel is told of its topics, and of their ends if it asks for them', () => {
  assert.equal(wants({ topics: ['failure'] }, failure), true)
  assert.equal(wants({ topics: ['failure'] }, over), false)
  assert.equal(wants({ topics: ['failure', 'recovery'] }, over), true)
  assert.equal(wants({ topics: ['drill', 'recovery'] }, over), false)
  assert.equal(wants({ topics: ['drill', 'recovery'] }, failure), false)
  assert.equal(wants({ topics: ['recovery'] }, over), true)
  assert.equal(wants({ topics: ['recovery'] }, failure), false)
})

test('a channel for what is critical is told of nothing else', () => {
  assert.equal(wants({ severity: 'critical' }, failure), true)
  assert.equal(wants({ severity: 'critical' }, mild), false)
  assert.equal(wants({ severity: 'warning' }, mild), true)
})

test('a channel for some databases is told of these, and not of what concerns none', () => {
  assert.equal(wants({ databases: ['app', 'other'] }, failure), true)
  assert.equal(wants({ databases: ['other'] }, failure), false)
  assert.equal(wants({ databases: ['app'] }, general), false)
})
