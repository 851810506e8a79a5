import { existsSync } from 'node:fs'
import { extname } from 'node:path'
import { HoldfastError } from '../errors.ts'

/**
 * The module `name` beside the module `from`, as a program for an engine: TypeScript beside a TypeScript source, JavaScript
 * beside a compiled one.
 * @throws ENGINE_DIED if it is not there: a bundler has taken the library's files apart
 */
export function engineEntry(from: string, name: string): URL {
  if (URL.canParse(from)) {
    const entry = new URL(`./${name}${extname(from)}`, from)
    if (entry.protocol === 'file:' && existsSync(entry)) return entry
  }
  throw new HoldfastError(
    'ENGINE_DIED',
    `The program of the engine process, ${name}, is not beside ${from || 'its host'}.`,
    {
      object: name,
      hint: 'Holdfast runs from its own files: tell the bundler to leave the package "holdfast" out (external).',
    },
  )
}
