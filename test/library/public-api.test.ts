import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { temporaryFolder } from '../support/temporary-folder.ts'

const root = join(import.meta.dirname, '..', '..')

describe('the package', () => {
  it('exports these values and no others', async () => {
    assert.deepEqual(Object.keys(await import('../../src/index.ts')).sort(), [
      'BackupError',
      'BackupManager',
      'FaultStorage',
      'HoldfastError',
      'LiveCapture',
      'LocalStorage',
      'MemoryStorage',
      'ObserveStorage',
      'PointInTimeRecovery',
      'RateMeter',
      'RestoreError',
      'RestoreManager',
      'RetryStorage',
      'auditLog',
      'defaultRetention',
      'exitCodes',
      'hasCode',
      'initRepository',
      'isErrorCode',
      'mirrorRepository',
      'openStorage',
      'operationHistory',
      'promoteMirror',
      'runDrill',
      'sqlite',
      'verifyBackups',
      'version',
    ])
  })

  it('brings no SQLite into a process that backs up and restores with it', () => {
    using folder = temporaryFolder()
    const { status, stdout, stderr } = run('test/library/programs/sqlite-free-host.ts', folder.path)
    assert.equal(status, 0, stderr)
    assert.equal(stdout.trim(), 'restored without node:sqlite')
  })
})

describe('the examples', () => {
  for (const example of globSync('examples/*.ts', { cwd: root }).sort()) {
    it(`${example} runs`, () => {
      using folder = temporaryFolder()
      const { status, stderr } = run(example, folder.path)
      assert.equal(status, 0, stderr)
    })
  }
})

/** In a folder of its own; `holdfast` is the package's source, so that no build is needed. */
function run(program: string, cwd: string) {
  const alias = join(import.meta.dirname, 'programs', 'alias-package.ts')
  return spawnSync(process.execPath, ['--import', alias, join(root, program)], { cwd, encoding: 'utf8' })
}
