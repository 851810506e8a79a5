import { glob, stat } from 'node:fs/promises'
import type { Config, SourceConfig } from '../config.ts'
import type { ConfigPath } from '../yaml/config-path.ts'

/** Something to know that is no mistake: the file may come later. */
export interface ConfigNote {
  readonly path: ConfigPath
  readonly message: string
}

/** Entries that find no database now: because of a mistyped path, perhaps. Looks at the file system. */
export async function findNothing({ databases }: Pick<Config, 'databases'>): Promise<ConfigNote[]> {
  const notes: ConfigNote[] = []
  for (const [index, { source }] of databases.entries()) {
    const problem = await nothingOf(source)
    if (problem !== undefined)
      notes.push({ path: ['databases', index, source.kind === 'path' ? 'path' : 'glob'], message: problem })
  }
  return notes
}

async function nothingOf(source: SourceConfig): Promise<string | undefined> {
  if (source.kind === 'glob') {
    const { patterns, exclude } = source
    for (const pattern of patterns) for await (const _ of glob(pattern, { exclude })) return undefined
    return 'No file matches this now.'
  }
  const { path } = source
  try {
    return (await stat(path)).isFile() ? undefined : `${path} is no file.`
  } catch (thrown) {
    const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined
    if (code === 'ENOENT' || code === 'ENOTDIR') return `There is no file ${path} now.`
    return `${path} cannot be looked at: ${thrown instanceof Error ? thrown.message : String(thrown)}.`
  }
}
