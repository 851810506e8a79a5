/** What bin/holdfast.js starts. */
import { exitCodes } from '../errors.ts'
import { keepYoungGenerationSmall } from '../util/young-generation.ts'
import { runProgram } from './run.ts'
import { listenForInterrupts } from './signals.ts'

/**
 * Nothing that is under way ends because its words cannot be written: a follower whose log is on a full disk goes on following. A reader
 * that went away (`holdfast list | head`) is no failure: what it wanted, it has got.
 */
function outlive(stream: NodeJS.WriteStream, onLost: (error: Error) => void): void {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') onLost(error)
  })
}

keepYoungGenerationSmall()
let lost: Error | undefined
outlive(process.stdout, (error) => {
  lost ??= error
})
outlive(process.stderr, () => {})
process.once('exit', () => {
  if (lost === undefined || process.exitCode !== exitCodes.ok) return
  process.exitCode = exitCodes.warnings
  process.stderr.write(`warning: It is done, but what was to be printed could not be written: ${lost.message}.\n`)
})
process.exitCode = await runProgram(process.argv.slice(2), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  now: Date.now,
  listen: listenForInterrupts,
})
