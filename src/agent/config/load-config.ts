import { readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { dirname, resolve } from 'node:path'
import { checkConfig } from './check/check-config.ts'
import { elementsOf } from './check/check-settings.ts'
import { readSecrets } from './check/read-secrets.ts'
import { Reporter } from './check/reporter.ts'
import type { Config } from './config.ts'
import { ConfigError, type ConfigProblem, locateProblems, locator } from './problem.ts'
import { type Loaded, type LoadOptions, readConfigText } from './read-config-text.ts'
import { resolveConfig } from './resolve/resolve-config.ts'
import { configSchema } from './schema/config-schema.ts'
import { correctKeys } from './schema/correct-keys.ts'
import { issueProblems } from './schema/issue-problems.ts'
import type { ConfigPath } from './yaml/config-path.ts'
import { readDocument } from './yaml/read-document.ts'

export type LoadedConfig =
  | (Extract<Loaded<Config>, { readonly value: Config }> & {
      /** Where the file says something. */
      readonly locate: (path: ConfigPath) => Pick<ConfigProblem, 'line' | 'column' | 'length'>
    })
  | Extract<Loaded<Config>, { readonly value?: undefined }>

/** Reads a configuration file, and the files of secrets that it names. Never throws because of what is in them. */
export async function loadConfig(path: string, options: LoadOptions = {}): Promise<LoadedConfig> {
  const { env = process.env, readFile: read = readFile, cores = availableParallelism() } = options
  const file = resolve(path)
  const folder = dirname(file)
  const { text, problem, isMissing } = await readConfigText(path, options.readFile)
  if (problem !== undefined) return { problems: locateProblems(path, '', [problem]), text, isMissing }
  const { value: written, places, problems } = readDocument(text, env)
  if (written === undefined) return { problems: locateProblems(path, text, problems), text }
  const { value, problems: mistyped } = correctKeys(written, configSchema, places)
  const { data, error } = configSchema.safeParse(value, { reportInput: true })
  const report = new Reporter(places, problems)
  checkConfig(value, folder, report)
  const secrets = await readSecrets(elementsOf(value, 'notify'), folder, read, report)
  const issues = error === undefined ? [] : issueProblems(error.issues, configSchema, places)
  const facts = [...problems, ...mistyped, ...issues, ...report.problems]
  if (data === undefined || facts.length > 0) return { problems: locateProblems(path, text, facts), text }
  const locate = (place: ConfigPath) => locator(text)(places.spanOf(place))
  return { value: resolveConfig(data, { file, folder, secrets, cores }), text, locate }
}

/** As {@link loadConfig}. @throws ConfigError (CONFIG_INVALID) with all that is wrong */
export async function requireConfig(path: string, options: LoadOptions = {}): Promise<Config> {
  const loaded = await loadConfig(path, options)
  if (loaded.problems !== undefined) throw new ConfigError(path, loaded)
  return loaded.value
}
