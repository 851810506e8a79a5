/** What bin/holdfast.js starts. */
import { keepYoungGenerationSmall } from '../util/young-generation.ts'
import { runProgram } from './run.ts'
import { listenForInterrupts } from './signals.ts'

/** A reader that went away (`holdfast list | head`) is no failure: what it wanted, it has got. */
function ignoreClosedPipe(stream: NodeJS.WriteStream): void {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
}

keepYoungGenerationSmall()
ignoreClosedPipe(process.stdout)
ignoreClosedPipe(process.stderr)
process.exitCode = await runProgram(process.argv.slice(2), {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  now: Date.now,
  listen: listenForInterrupts,
})
