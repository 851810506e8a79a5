import assert from 'node:assert/strict'
import { z } from 'zod'
import { auditLine, operationLine } from '../../../src/cli/json/history-schemas.ts'
import {
  type CommandName,
  type ErrorLine,
  errorLine,
  followLine,
  progressLine,
  type Results,
  resultData,
  warningLine,
} from '../../../src/cli/json/schemas.ts'
import { type CliOptions, cli, type Ended } from './cli.ts'

export interface JsonRun<Last> {
  readonly ended: Ended
  readonly progress: z.infer<typeof progressLine>[]
  readonly warnings: z.infer<typeof warningLine>[]
  readonly last: Last
}

/** Runs a command with `--json`; every line of its output must be what the documentation says. */
export async function cliJson<Name extends CommandName>(
  command: Name,
  args: readonly string[],
  options?: CliOptions,
): Promise<JsonRun<Results[Name]>> {
  const run = await jsonLines([...command.split(' '), ...args], options)
  const {
    type,
    command: named,
    exitCode,
    ...data
  } = z.looseObject({ type: z.literal('result'), command: z.literal(command), exitCode: z.int() }).parse(run.last)
  assert.deepEqual([type, named, exitCode], ['result', command, run.ended.code])
  const schemas: { readonly [Each in CommandName]: z.ZodType<Results[Each]> } = resultData
  const schema: z.ZodType<Results[Name]> = schemas[command]
  return { ...run, last: schema.parse(data) }
}

export async function cliJsonError(args: readonly string[], options?: CliOptions): Promise<JsonRun<ErrorLine>> {
  const run = await jsonLines(args, options)
  const last = errorLine.parse(run.last)
  assert.equal(last.exitCode, run.ended.code)
  return { ...run, last }
}

async function jsonLines(args: readonly string[], options?: CliOptions): Promise<JsonRun<unknown>> {
  const ended = await cli([...args, '--json'], options)
  assert.equal(ended.stderr, '')
  const lines: unknown[] = ended.stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line))
  const last = lines.pop()
  const progress: z.infer<typeof progressLine>[] = []
  const warnings: z.infer<typeof warningLine>[] = []
  for (const line of lines) {
    const parsed = z.union([progressLine, warningLine, followLine, operationLine, auditLine]).parse(line)
    if (parsed.type === 'progress') progress.push(parsed)
    else if (parsed.type === 'warning') warnings.push(parsed)
  }
  return { ended, progress, warnings, last }
}
