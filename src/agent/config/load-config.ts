import { readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { dirname, resolve } from 'node:path'
import { checkConfig } from './check/check-config.ts'
import { elementsOf } from './check/check-settings.ts'
import { readSecrets } from './check/read-secrets.ts'
import { Reporter } from './check/reporter.ts'
import type { Config } from './config.ts'
import { ConfigError, locateProblems } from './problem.ts'
import { type Loaded, type LoadOptions, readConfigText } from './read-config-text.ts'
import { resolveConfig } from './resolve/resolve-config.ts'
import { configSchema } from './schema/config-schema.ts'
import { issueProblems } from './schema/issue-problems.ts'
import { readDocument } from './yaml/read-document.ts'

/** Reads a configuration file, and the files of secrets that it names. Never throws because of what is in them. */
export async function loadConfig(path: string, options: LoadOptions = {}): Promise<Loaded<Config>> {
  const { env = process.env, readFile: read = readFile, cores = availableParallelism() } = options
  const file = resolve(path)
  const folder = dirname(file)
  const { text, problem } = await readConfigText(path, read)
  if (problem !== undefined) return { problems: locateProblems(path, '', [problem]), text }
  const { value, places, problems } = readDocument(text, env)
  if (value === undefined) return { problems: locateProblems(path, text, problems), text }
  const { data, error } = configSchema.safeParse(value, { reportInput: true })
  const report = new Reporter(places, problems)
  checkConfig(value, folder, report)
  const secrets = await readSecrets(elementsOf(value, 'notify'), folder, read, report)
  const issues = error === undefined ? [] : issueProblems(error.issues, configSchema, places)
  const facts = [...problems, ...issues, ...report.problems]
  if (data === undefined || facts.length > 0) return { problems: locateProblems(path, text, facts), text }
  return { value: resolveConfig(data, { file, folder, secrets, cores }), text }
}

/** As {@link loadConfig}. @throws ConfigError (CONFIG_INVALID) with all that is wrong */
export async function requireConfig(path: string, options: LoadOptions = {}): Promise<Config> {
  const { value, problems } = await loadConfig(path, options)
  if (problems !== undefined) throw new ConfigError(path, problems)
  return value
}
