import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { requirePart } from '../support/real-part.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const run = promisify(execFile)
const analyze = requirePart('systemd-analyze')
const unit = readFileSync(join(import.meta.dirname, '../../ops/holdfast.service'), 'utf8')

test('systemd understands every line of the service', analyze, async () => {
  using folder = temporaryFolder()
  const path = folder.file('holdfast.service')
  // The program that it starts must be there.
  writeFileSync(path, unit.replace('/usr/local/bin/holdfast', process.execPath))
  const { stdout, stderr } = await run(analyze.path, ['verify', '--man=no', path])
  assert.equal(stdout + stderr, '')
})

test('the service is started again however often that fails, but for a configuration that is wrong', () => {
  assert.match(unit, /^StartLimitIntervalSec=0$/m)
  assert.match(unit, /^RestartPreventExitStatus=2$/m)
})

test('the service is stopped through the agent, which lets its workers finish', () => {
  assert.match(unit, /^KillMode=mixed$/m)
  assert.match(unit, /^ExecStart=\S+ run --config \/etc\/holdfast\.yaml$/m)
})
