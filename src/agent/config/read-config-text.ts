import { isMissingFile, type ReadFile, unreadable } from './check/unreadable.ts'
import type { ProblemFacts, WrongConfig } from './problem.ts'
import { readConfigFile } from './read-config-file.ts'

export interface LoadOptions {
  /** For `${NAME}`; default: of this process. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
  readonly readFile?: ReadFile | undefined
  /** Default for `concurrency.workers`; default: what this machine has. */
  readonly cores?: number | undefined
}

/** Either the configuration, or all that is wrong with it. `text` is the file's, for excerpts. */
export type Loaded<T> =
  | { readonly value: T; readonly problems?: undefined; readonly text: string }
  | (WrongConfig & { readonly value?: undefined; readonly text: string })

/** More than 10,000 databases with everything said of each. */
const longestFile = 16 * 1024 * 1024

export async function readConfigText(
  path: string,
  read: ReadFile = readConfigFile,
): Promise<{ readonly text: string; readonly problem?: ProblemFacts | undefined; readonly isMissing?: boolean }> {
  const wrong = (message: string) => ({ text: '', problem: { path: '', span: { start: 0, end: 1 }, message } })
  let bytes: Uint8Array
  try {
    bytes = await read(path)
  } catch (thrown) {
    return { ...wrong(unreadable(path, thrown)), isMissing: isMissingFile(thrown) }
  }
  if (bytes.length > longestFile) return wrong(`${path} is too large for a configuration.`)
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) }
  } catch (thrown) {
    if (!(thrown instanceof TypeError)) throw thrown
    return wrong(`${path} is not a text in UTF-8.`)
  }
}
