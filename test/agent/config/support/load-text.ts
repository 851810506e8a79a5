import assert from 'node:assert/strict'
import type { Config, DatabaseConfig } from '../../../../src/agent/config/config.ts'
import { loadConfig } from '../../../../src/agent/config/load-config.ts'
import type { ConfigProblem } from '../../../../src/agent/config/problem.ts'
import type { Loaded } from '../../../../src/agent/config/read-config-text.ts'

export const file = '/etc/holdfast/holdfast.yaml'

export interface Around {
  readonly env?: Readonly<Record<string, string>>
  /** By absolute path. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>
}

/** Loads a configuration from memory, on a machine of four cores. */
export async function load(text: string | Uint8Array, { env = {}, files = {} }: Around = {}): Promise<Loaded<Config>> {
  const all = new Map(Object.entries<string | Uint8Array>({ ...files, [file]: text }))
  const readFile = async (path: string) => {
    const found = all.get(path)
    if (found === undefined) throw Object.assign(new Error(`no ${path}`), { code: 'ENOENT' })
    return typeof found === 'string' ? new TextEncoder().encode(found) : found
  }
  return await loadConfig(file, { env, readFile, cores: 4 })
}

export async function loadOk(text: string, around?: Around): Promise<Config> {
  const { value, problems } = await load(text, around)
  assert.deepEqual(problems, undefined)
  assert.ok(value)
  return value
}

export async function problemsOf(text: string | Uint8Array, around?: Around): Promise<readonly ConfigProblem[]> {
  const { problems } = await load(text, around)
  assert.ok(problems !== undefined && problems.length > 0, 'something is wrong with it')
  return problems
}

/** The only problem of a file. */
export async function problemOf(text: string | Uint8Array, around?: Around): Promise<ConfigProblem> {
  const [problem, ...others] = await problemsOf(text, around)
  assert.deepEqual(others, [])
  assert.ok(problem)
  return problem
}

/** `line:column path`, to compare with. */
export function places(problems: readonly ConfigProblem[]): string[] {
  return problems.map(({ line, column, path }) => `${line}:${column} ${path}`)
}

/** A database, with the lines that say more of it. */
export async function database(lines: string, defaults = ''): Promise<DatabaseConfig> {
  const { databases } = await loadOk(`${defaults}\ndatabases:\n  - path: app.db\n${indented(lines)}\n`)
  assert.ok(databases[0])
  return databases[0]
}

/** The only problem of a database, the lines of which begin in line 3. */
export async function databaseProblem(lines: string): Promise<ConfigProblem> {
  return await problemOf(`databases:\n  - path: app.db\n${indented(lines)}\n`)
}

function indented(lines: string): string {
  return lines.replace(/^(?=.)/gm, '    ')
}
