import { dirname, resolve } from 'node:path'
import { type LoadOptions, readConfigText } from './read-config-text.ts'
import { rootShape } from './schema/config-schema.ts'
import { isMapping } from './schema/parse-what-is-right.ts'
import { readDocument } from './yaml/read-document.ts'

/**
 * The state folder that a configuration file names; undefined if it names none. What else is wrong with the file, or that it is gone,
 * does not matter: the agent that runs by an earlier version of it can still be asked.
 */
export async function loadStateFolder(path: string, options: LoadOptions = {}): Promise<string | undefined> {
  const { env = process.env } = options
  const { text, problem } = await readConfigText(path, options.readFile)
  if (problem !== undefined) return undefined
  const { value } = readDocument(text, env)
  const { data } = rootShape.stateFolder.safeParse(isMapping(value) ? value['stateFolder'] : undefined)
  return data === undefined ? undefined : resolve(dirname(resolve(path)), data)
}
