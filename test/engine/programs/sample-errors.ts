import { BackupError, HoldfastError, RestoreError } from '../../../src/errors.ts'

const makers: Readonly<Record<string, () => unknown>> = {
  holdfast: () =>
    new HoldfastError('DATABASE_BUSY', 'The database is busy.', {
      object: '/srv/app.db',
      hint: 'Wait.',
      cause: Object.assign(new Error('database is locked'), { code: 'ERR_SQLITE_ERROR' }),
    }),
  backup: () =>
    new BackupError(
      'DISK_FULL',
      'No space left.',
      {
        database: 'app',
        type: 'full',
        phase: 'copy',
        bytesRead: 8192,
        bytesStored: 4096,
        startedAt: 1_700_000_000_000,
      },
      { object: 'databases/app/segments/x', hint: 'Free some space.' },
    ),
  restore: () => new RestoreError('PROOF_FAILED', 'The proof failed.', 'prove', { object: '/srv/out.db' }),
  system: () => Object.assign(new Error('open failed'), { code: 'EACCES', path: '/root/x' }),
  circular: () => {
    const error = new Error('round and round')
    error.cause = error
    return error
  },
  text: () => 'just a text',
  object: () => ({ answer: 42 }),
}

export function sampleError(name: string): unknown {
  const make = makers[name]
  if (make === undefined) throw new Error(`No sample error "${name}".`)
  return make()
}
