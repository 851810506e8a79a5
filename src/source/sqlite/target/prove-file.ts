/** The proofs of a written file: from the disk, never from what we believe to have written. */

import { HoldfastError } from '../../../errors.ts'
import type { ExpectedState, Proof, ProveOptions } from '../../target.ts'
import { checkFile } from './check-file.ts'
import { judgeCheck } from './judge-check.ts'
import { proveByCommand } from './prove-by-command.ts'
import { proveState, type WrittenFile } from './prove-state.ts'

/** Below, a second thread takes longer to start than it saves. */
const sideBySideBytes = 128 * 1024 * 1024

export async function proveFile(
  written: WrittenFile,
  expected: ExpectedState,
  options: ProveOptions = {},
): Promise<Proof> {
  const startedAt = performance.now()
  const stop = new AbortController()
  const signal = options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal])
  const check = checkFile(
    {
      path: written.path,
      level: expected.level,
      facts: expected.facts !== undefined,
      rowCounts: expected.rowCounts,
      quickPassed: expected.levelAtBackup === 'quick' && expected.alreadyDamaged !== true,
      sideBySide: written.pageSize * written.pageCount >= sideBySideBytes,
    },
    signal,
  )
  written.onCheck?.(check.ended)
  try {
    // Both at once; the first that fails is the reason.
    const [hashed, checked] = await Promise.all([
      proveState(written, written.file, expected.state, { ...options, signal }),
      check.result,
    ])
    const judged = judgeCheck(written.target, checked, expected)
    const command = await proveByCommand(written, expected, signal)
    return {
      state: hashed.state,
      pagesHashed: hashed.pages,
      validation: checked.validation,
      ...judged,
      command,
      durationMs: Math.round(performance.now() - startedAt),
    }
  } finally {
    stop.abort(new HoldfastError('ABORTED', 'Another proof failed first.'))
    await Promise.allSettled([check.result])
  }
}
