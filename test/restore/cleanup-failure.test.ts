/** What went wrong first is what the user is told, also when cleaning up fails too. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { BackupError, HoldfastError, RestoreError, toHoldfastError } from '../../src/errors.ts'

/** What `await using` throws. */
async function thrownBy(first: unknown, whenDisposed: unknown): Promise<unknown> {
  try {
    await using _ = {
      [Symbol.asyncDispose]: async () => {
        throw whenDisposed
      },
    }
    throw first
  } catch (thrown) {
    return thrown
  }
}

const rollback = new HoldfastError('INTERNAL', 'The old state could not be brought back.', {
  object: 'app.db',
  hint: 'Keep app.db-journal.',
})

describe('a failure, after which cleaning up fails', () => {
  it('keeps its code, and mentions the other', async () => {
    const first = new HoldfastError('INTEGRITY', 'A segment is damaged.', { object: 'the segment', hint: 'Verify.' })
    const thrown = await thrownBy(first, rollback)
    const { code, object, message, hint, cause } = toHoldfastError(thrown)
    assert.deepEqual([code, object], ['INTEGRITY', 'the segment'])
    assert.match(message, /A segment is damaged\..*could not be brought back/)
    assert.equal(hint, 'Verify. Keep app.db-journal.')
    assert.equal(cause, thrown)
  })

  it('keeps what a system error means', async () => {
    const full = Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' })
    assert.equal(toHoldfastError(await thrownBy(full, rollback)).code, 'DISK_FULL')
    assert.equal(toHoldfastError(await thrownBy(await thrownBy(full, rollback), rollback)).code, 'DISK_FULL')
  })

  it('keeps its kind', async () => {
    const restore = toHoldfastError(await thrownBy(new RestoreError('ABORTED', 'Stopped.', 'fetch'), rollback))
    assert.ok(restore instanceof RestoreError && restore.phase === 'fetch')
    const partial = {
      database: 'app',
      type: 'full',
      phase: 'copy',
      bytesRead: 1,
      bytesStored: 2,
      startedAt: 3,
    } as const
    const backup = toHoldfastError(await thrownBy(new BackupError('ABORTED', 'Stopped.', partial), rollback))
    assert.ok(backup instanceof BackupError && backup.partialBackup === partial)
  })
})
