import { execFile } from 'node:child_process'
import { copyFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { requirePart } from '../support/real-part.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const run = promisify(execFile)
const model = join(import.meta.dirname, 'protocol.pml')

export const spin = requirePart('spin')
export const compiler = requirePart('gcc', 'cc')

/** What an exhaustive search found. */
export interface Search {
  readonly errors: number
  /** The assertion that failed, or what else was wrong. */
  readonly violation: string | undefined
  /** Every reachable state was visited: the search was cut short neither by an error, nor by depth or memory. */
  readonly isComplete: boolean
  readonly states: number
  /** Steps that were never taken, by process. */
  readonly unreached: ReadonlyMap<string, number>
  readonly output: string
}

/**
 * Has Spin make a checker of the model, and runs it through every state.
 *
 * @param definitions sizes and broken variants: the names that protocol.pml tests for
 */
export async function search(definitions: Readonly<Record<string, number>>): Promise<Search> {
  return await check(definitions, ['-DSAFETY'], [])
}

/**
 * As {@link search}, for what must come about at last if no process is held up for ever (weak fairness).
 *
 * @param formula the name of an `ltl` of protocol.pml
 */
export async function searchForCycles(formula: string, definitions: Readonly<Record<string, number>>): Promise<Search> {
  return await check({ ...definitions, LIVENESS: 1 }, ['-DNFAIR=3'], ['-a', '-f', '-N', formula])
}

async function check(
  definitions: Readonly<Record<string, number>>,
  kind: readonly string[],
  checks: readonly string[],
): Promise<Search> {
  using folder = temporaryFolder()
  const cwd = folder.path
  const env = { ...process.env, PATH: `${dirname(compiler.path)}:${process.env['PATH'] ?? ''}` }
  await copyFile(model, folder.file('protocol.pml'))
  const defines = Object.entries(definitions).map(([name, value]) => `-D${name}=${value}`)
  await run(spin.path, ['-a', ...defines, 'protocol.pml'], { cwd, env })
  // COLLAPSE stores states whole, but smaller; the limit is in megabytes, and beyond it the search is not complete.
  const limits = [...kind, '-DCOLLAPSE', '-DMEMLIM=4000', '-DVECTORSZ=1024']
  await run(compiler.path, ['-O2', '-w', ...limits, '-o', 'pan', 'pan.c'], { cwd, env })
  const { stdout } = await run(folder.file('pan'), ['-m500000', '-w25', ...checks], { cwd, env, maxBuffer: 1 << 24 })
  return parse(stdout)
}

function parse(output: string): Search {
  const errors = Number(/errors: (\d+)/.exec(output)?.[1] ?? Number.NaN)
  const unreached = output.matchAll(/unreached in proctype (\w+)\n(?:\t.*\n)*?\t\((\d+) of \d+ states\)/g)
  return {
    errors,
    violation: /^pan:\d+: (.*)$/m.exec(output)?.[1],
    isComplete:
      errors === 0 && !/not completed|max search depth|out of memory|reached -DMEMLIM|truncated/i.test(output),
    states: Number(/([\d.e+]+) states, stored/.exec(output)?.[1] ?? Number.NaN),
    unreached: new Map([...unreached].map(([, process = '', count]) => [process, Number(count)])),
    output,
  }
}
