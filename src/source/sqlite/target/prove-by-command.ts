import { fstatSync, statSync } from 'node:fs'
import { HoldfastError } from '../../../errors.ts'
import type { ExpectedState, Proof } from '../../target.ts'
import { standsUnder } from './file-identity.ts'
import { findHolders } from './live-target.ts'
import { proofFailed } from './proof-failed.ts'
import { proveState, type WrittenFile } from './prove-state.ts'
import { runCommand } from './run-command.ts'
import { removeSidecars, sidecarPaths } from './sidecars.ts'

const defaultCommandTimeoutMs = 10 * 60 * 1000

/** Lets the user's command look at the file, which must be the same one afterwards, with the same content. @throws PROOF_FAILED, CHECK_COMMAND_FAILED, ABORTED */
export async function proveByCommand(
  written: WrittenFile,
  expected: ExpectedState,
  signal: AbortSignal,
): Promise<Proof['command']> {
  const { command, commandTimeoutMs = defaultCommandTimeoutMs, state } = expected
  if (command === undefined) return undefined
  const changed = (how: string) => proofFailed(written.target, 'check command', 'a file that it leaves unchanged', how)
  return written.lend(async (path, file) => {
    try {
      const result = await runCommand(command, path, { timeoutMs: commandTimeoutMs, signal })
      if (!standsUnder(path, fstatSync(file.fd, { bigint: true }))) throw changed('another file in its place')
      const holders = findHolders([path, ...sidecarPaths(path)])
      if (holders.length > 0)
        throw changed(`a process that still has it open: ${holders.map((holder) => holder.command).join(', ')}`)
      const changes = sidecarPaths(path).filter(
        (sidecar) => !sidecar.endsWith('-shm') && (statSync(sidecar, { throwIfNoEntry: false })?.size ?? 0) > 0,
      )
      if (changes.length > 0) throw changed('uncommitted changes in it')
      await proveState(written, file, state, { signal }).catch((error: unknown) => {
        if (!(error instanceof HoldfastError) || error.code !== 'PROOF_FAILED') throw error
        throw changed(error.message)
      })
      return result
    } finally {
      removeSidecars(path)
    }
  })
}
