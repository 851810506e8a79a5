import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { TestContext } from 'node:test'

/** The built program, as an installation starts it. */
export const bin = join(import.meta.dirname, '../../../bin/holdfast.js')

export interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

export interface CliOptions {
  readonly cwd?: string | undefined
  readonly env?: NodeJS.ProcessEnv | undefined
  readonly uid?: number | undefined
}

/** Times in messages are those of Berlin, so that tests can tell local time from UTC. */
const environment = (extra: NodeJS.ProcessEnv = {}) => {
  const {
    HOLDFAST_REPOSITORY: _repository,
    HOLDFAST_CONFIG: _config,
    NO_COLOR: _noColor,
    FORCE_COLOR: _color,
    NODE_TEST_CONTEXT: _test,
    ...rest
  } = process.env
  return { ...rest, TZ: 'Europe/Berlin', ...extra }
}

export interface Started {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
}

/** Starts `holdfast` with nobody at its terminal. */
export function startCli(args: readonly string[], { cwd, env, uid }: CliOptions = {}): Started {
  const child = spawn(process.execPath, [bin, ...args], {
    cwd,
    uid,
    env: environment(env),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const closed = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve(code))
  })
  const ended = Promise.all([closed, text(child.stdout), text(child.stderr)]).then(([code, stdout, stderr]) => {
    return { code, stdout, stderr }
  })
  return { child, ended }
}

export async function cli(args: readonly string[], options?: CliOptions): Promise<Ended> {
  return await startCli(args, options).ended
}

/** Runs a command that must succeed. */
export async function cliOk(args: readonly string[], options?: CliOptions): Promise<Ended> {
  const ended = await cli(args, options)
  if (ended.code !== 0)
    throw new Error(`holdfast ${args.join(' ')} ended with ${ended.code}:\n${ended.stdout}${ended.stderr}`)
  return ended
}

/** A folder that is gone after the test. */
export async function scratchFolder(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-cli-'))
  context.after(() => rm(folder, { recursive: true, force: true }))
  return folder
}
