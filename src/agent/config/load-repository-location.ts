import { dirname, resolve } from 'node:path'
import { nearest } from './nearest.ts'
import { locateProblems } from './problem.ts'
import { type Loaded, type LoadOptions, readConfigText } from './read-config-text.ts'
import { resolveRepository } from './resolve/repository-location.ts'
import { configSchema, rootShape } from './schema/config-schema.ts'
import { issueProblems } from './schema/issue-problems.ts'
import { isMapping } from './schema/parse-what-is-right.ts'
import { readDocument } from './yaml/read-document.ts'

/**
 * The repository that a configuration file names: absolute path or URL. What else is wrong with the file does not matter, so that
 * a restore does not wait for it to be mended.
 */
export async function loadRepositoryLocation(path: string, options: LoadOptions = {}): Promise<Loaded<string>> {
  const { env = process.env } = options
  const { text, problem, isMissing } = await readConfigText(path, options.readFile)
  if (problem !== undefined) return { problems: locateProblems(path, '', [problem]), text, isMissing }
  const { value, places, problems } = readDocument(text, env)
  if (value === undefined) return { problems: locateProblems(path, text, problems), text }
  const { data, error } = rootShape.repository.safeParse(isMapping(value) ? value['repository'] : undefined, {
    reportInput: true,
  })
  const own = problems.filter((each) => each.path === 'repository')
  const issues = (error?.issues ?? []).map((issue) => ({ ...issue, path: ['repository'] }))
  const keys = mistypedKeys(value)
  const mistyped = keys.length === 0 ? [] : [{ code: 'unrecognized_keys' as const, keys, path: [], message: '' }]
  const facts = [...own, ...issueProblems([...issues, ...mistyped], configSchema, places)]
  if (facts.length > 0) return { problems: locateProblems(path, text, facts), text }
  return { value: resolveRepository(data, dirname(resolve(path))), text }
}

/** The default place must not be taken where another was meant. */
function mistypedKeys(value: unknown): string[] {
  if (!isMapping(value) || value['repository'] !== undefined) return []
  const known = Object.keys(rootShape)
  return Object.keys(value).filter((key) => !known.includes(key) && nearest(key, known) === 'repository')
}
