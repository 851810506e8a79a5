import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type AuditLine, auditLine, type OperationLine, operationLine } from '../../../src/cli/json/history-schemas.ts'
import { cliOk, scratchFolder } from './cli.ts'
import { makeDatabase, type Shape } from './database.ts'
import { cliJson } from './json-lines.ts'

/** A folder with a database, a repository, and a state folder of its own. */
export async function journalPlace(context: TestContext, shape?: Shape) {
  const cwd = await scratchFolder(context)
  const options = { cwd, env: { XDG_STATE_HOME: join(cwd, 'state') } }
  makeDatabase(join(cwd, 'app.db'), shape)
  await cliOk(['init'], options)
  return {
    cwd,
    options,
    at: (name: string) => join(cwd, name),
    journal: join(cwd, 'state/holdfast/journal.db'),
    /** As on another machine, which shares only the repository. */
    elsewhere: { cwd, env: { XDG_STATE_HOME: join(cwd, 'elsewhere') } },
  }
}

type Options = Parameters<typeof cliOk>[1]

/** What `history --json` tells, oldest first. */
export async function historyOf(options: Options, ...args: readonly string[]): Promise<OperationLine[]> {
  const { ended } = await cliJson('history', args, options)
  return linesOf(ended.stdout, 'operation').map((line) => operationLine.parse(line))
}

export async function auditOf(options: Options, ...args: readonly string[]): Promise<AuditLine[]> {
  const { ended } = await cliJson('audit', args, options)
  return linesOf(ended.stdout, 'audit').map((line) => auditLine.parse(line))
}

function linesOf(stdout: string, type: string): unknown[] {
  return stdout
    .trimEnd()
    .split('\n')
    .map((line): { type: string } => JSON.parse(line))
    .filter((line) => line.type === type)
}

/** Heads of audit logs that the repository remembers. */
export function anchorsIn(repository: string): string[] {
  const folder = join(repository, 'audit')
  return existsSync(folder) ? readdirSync(folder) : []
}
