import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { toHoldfastError } from '../../errors.ts'
import { type Assertion, assertion } from '../../verify/drill/assertion.ts'
import { usageError } from '../usage-error.ts'

const query = z.string().trim().min(1)
const list = z.array(z.union([query.transform((sql): Assertion => ({ sql })), assertion])).min(1)

/** A list in YAML or JSON, of queries and of `{ sql, name, expect }`. @throws USAGE that names what is wrong */
export async function readAssertionFile(path: string): Promise<Assertion[]> {
  const { parse } = await import('yaml')
  const parsed = list.safeParse(parseYaml(parse, await readText(path), path))
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const at = issue?.path[0]
  const where = typeof at === 'number' ? `its entry ${at + 1} is none` : 'it is no list of them'
  throw usageError(
    `The file ${path} does not hold assertions: ${where}.`,
    'Write a list: each entry an SQL query, or "sql" with "expect" (a value, or rows) and "name".',
    path,
  )
}

async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    throw usageError(
      `The file of assertions ${path} cannot be read: ${toHoldfastError(error, path).message}`,
      undefined,
      path,
    )
  }
}

function parseYaml(parse: (text: string) => unknown, text: string, path: string): unknown {
  try {
    return parse(text)
  } catch (error) {
    const { message } = toHoldfastError(error, path)
    throw usageError(`The file of assertions ${path} is no YAML: ${message}`, undefined, path)
  }
}
