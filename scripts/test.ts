/**
 * Runs the tests: all of test/, or the files and folders given. Each file runs in a process of its own.
 *
 *     npm test                                   everything
 *     npm test -- test/history                   one folder (or file)
 *     npm test -- test/history --name 'merging'  only the tests whose name matches this regular expression
 *
 * The last line is `N passed, N failed`. It fails when a test failed, when none ran and, in CI, when one was skipped.
 */
import { globSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { finished } from 'node:stream/promises'
import { run } from 'node:test'
import { spec } from 'node:test/reporters'
import { parseArgs } from 'node:util'

const root = join(import.meta.dirname, '..')
const testTimeoutMs = 5 * 60_000

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: { name: { type: 'string', multiple: true }, concurrency: { type: 'string', default: '2' } },
})
const files = [...new Set((positionals.length > 0 ? positionals : ['test']).flatMap(testFiles))].sort((a, b) =>
  a.localeCompare(b),
)

const result = { passed: 0, failed: 0, skipped: [] as string[], success: false }
// What Holdfast remembers of this machine for its user is not the tests' to read or to change.
const state = mkdtempSync(join(tmpdir(), 'holdfast-state-'))
process.env['XDG_STATE_HOME'] = join(state, 'state')
// Each file, and each process that it starts, would compile the same modules again.
process.env['NODE_COMPILE_CACHE'] = join(state, 'compiled')
try {
  if (files.length > 0) await runFiles()
} finally {
  rmSync(state, { recursive: true, force: true })
}

const forbidden = process.env['CI'] ? result.skipped : []
for (const skipped of result.skipped)
  console.log(`Skipped${forbidden.length > 0 ? ', which CI does not allow' : ''}: ${skipped}`)
if (result.passed + result.failed === 0) console.log('No test ran.')
process.exitCode = result.success && result.failed === 0 && result.passed > 0 && forbidden.length === 0 ? 0 : 1
console.log(`${result.passed} passed, ${result.failed} failed`)

async function runFiles(): Promise<void> {
  const events = run({
    files,
    cwd: root,
    concurrency: Number(options.concurrency),
    execArgv: [`--test-timeout=${testTimeoutMs}`, `--import=${import.meta.resolve('./test-watchdog.ts')}`],
    ...(options.name ? { testNamePatterns: options.name } : {}),
  })
  const skip = (name: string, file: string | undefined, reason: string | boolean): void => {
    result.skipped.push(`${name} (${relative(root, file ?? '')})${reason === true ? '' : `: ${reason}`}`)
  }
  events.on('test:pass', ({ name, file, skip: skipped, todo, details }) => {
    const unfinished = skipped ?? todo
    // The runner reports a file without tests as a test that passed.
    if (files.includes(name)) return
    if (unfinished !== undefined) skip(name, file, unfinished)
    else if (details.type !== 'suite') result.passed++
  })
  events.on('test:fail', ({ name, file, todo, details: { error } }) => {
    // What failed is counted, not every suite around it.
    const within = 'failureType' in error && error.failureType === 'subtestsFailed'
    if (todo !== undefined) skip(name, file, todo)
    else if (!within) result.failed++
  })
  events.on('test:summary', ({ file, success }) => {
    if (file === undefined) result.success = success
  })
  const report = events.compose(new spec())
  report.pipe(process.stdout, { end: false })
  await finished(report)
}

function testFiles(path: string): string[] {
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return [join(root, path)]
  return globSync('**/*.test.ts', { cwd: path }).map((name) => join(root, path, name))
}
