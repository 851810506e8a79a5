import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { errorMessage } from '../../src/engine/error-message.ts'
import { packError, reviveError } from '../../src/engine/errors.ts'
import { BackupError, HoldfastError, hasCode, RestoreError } from '../../src/errors.ts'
import { sampleError } from './programs/sample-errors.ts'

function travel(thrown: unknown): unknown {
  return reviveError(errorMessage.parse(structuredClone(packError(thrown))))
}

describe('an error that travels to another process', () => {
  it('keeps class, code, object, hint, exit code, stack and cause', () => {
    const original = sampleError('holdfast')
    const revived = travel(original)
    assert.ok(original instanceof HoldfastError && revived instanceof HoldfastError)
    assert.equal(revived.name, 'HoldfastError')
    assert.equal(revived.code, 'DATABASE_BUSY')
    assert.equal(revived.exitCode, 6)
    assert.equal(revived.object, '/srv/app.db')
    assert.equal(revived.hint, 'Wait.')
    assert.equal(revived.stack, original.stack)
    assert.ok(revived.cause instanceof Error)
    assert.equal(revived.cause.message, 'database is locked')
    assert.equal(Reflect.get(revived.cause, 'code'), 'ERR_SQLITE_ERROR')
  })

  it('keeps how far a failed backup came', () => {
    const original = sampleError('backup')
    const revived = travel(original)
    assert.ok(original instanceof BackupError && revived instanceof BackupError)
    assert.equal(revived.name, 'BackupError')
    assert.ok(hasCode(revived, 'DISK_FULL'))
    assert.deepEqual(revived.partialBackup, original.partialBackup)
  })

  it('keeps the phase of a failed restore', () => {
    const revived = travel(sampleError('restore'))
    assert.ok(revived instanceof RestoreError)
    assert.equal(revived.phase, 'prove')
    assert.equal(revived.exitCode, 5)
  })

  it('keeps code and path of a system error', () => {
    const revived = travel(sampleError('system'))
    assert.ok(revived instanceof Error)
    assert.deepEqual([Reflect.get(revived, 'code'), Reflect.get(revived, 'path')], ['EACCES', '/root/x'])
  })

  it('tells of what failed first and of what then kept it from being cleaned up', () => {
    const first = new HoldfastError('STORAGE_TRANSIENT', 'Nobody answers.', { hint: 'Look.' })
    const revived = travel(new SuppressedError(new Error('The lease is stuck.'), first, 'An error was suppressed.'))
    assert.ok(hasCode(revived, 'STORAGE_TRANSIENT'))
    assert.equal(revived.message, 'Nobody answers. Cleaning up after that failed as well: The lease is stuck.')
    assert.ok(revived.cause instanceof HoldfastError)
    assert.equal(revived.cause.message, 'Nobody answers.')
  })

  it('survives a circular chain of causes', () => {
    let depth = 0
    for (let error = travel(sampleError('circular')); error instanceof Error; error = error.cause) depth++
    assert.ok(depth > 1 && depth < 20, `${depth} causes`)
  })

  it('comes as text when it was no error at all', () => {
    assert.equal(travel(sampleError('text')), 'just a text')
    assert.equal(travel(sampleError('object')), '{ answer: 42 }')
  })

  it('can be anything that was thrown', () => {
    fc.assert(
      fc.property(fc.anything(), (thrown) => {
        travel(thrown)
        travel(new Error('x', { cause: thrown }))
      }),
    )
  })

  it('with a code of another version is an internal error', () => {
    const revived = reviveError({ kind: 'holdfast', name: 'HoldfastError', message: 'later', code: 'FROM_THE_FUTURE' })
    assert.ok(hasCode(revived, 'INTERNAL'))
  })
})
