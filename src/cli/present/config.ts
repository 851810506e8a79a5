import type { ConfigProblem } from '../../agent/config/problem.ts'

const widest = 100
const before = 40

type Shown = Pick<ConfigProblem, 'file' | 'line' | 'column' | 'length' | 'path' | 'message'>

/** A problem with the line that it is about, and a mark below it. */
export function problemText({ file, line, column, length, path, message }: Shown, text: string): string {
  const head = `${file}:${line}:${column}${path === '' ? '' : `  ${path}`}`
  const source = text.split('\n')[line - 1]
  if (source === undefined || text === '') return `${head}\n  ${message}`
  const number = String(line)
  const { shown, mark } = excerpt(withoutSecrets(source), column - 1, length)
  const margin = ' '.repeat(number.length)
  return [head, `  ${number} | ${shown}`, `  ${margin} | ${mark}`, `  ${message}`].join('\n')
}

function excerpt(source: string, column: number, length: number): { readonly shown: string; readonly mark: string } {
  const line = source.replace(/\r$/, '').replaceAll('\t', ' ')
  const start = line.length > widest ? Math.max(0, column - before) : 0
  const cut = line.slice(start, start + widest)
  const [left, right] = [start > 0 ? '…' : '', start + widest < line.length ? '…' : '']
  const width = Math.max(1, Math.min(length, cut.length - (column - start)))
  return { shown: `${left}${cut}${right}`, mark: `${' '.repeat(left.length + column - start)}${'^'.repeat(width)}` }
}

const secretKeys = /((?:password|secret|passphrase|token|authorization|[\w-]*key)["']?\s*:\s*)([^,}\s][^,}]*)/gi

/** What is masked keeps its length, so that the mark stays where it is. */
function withoutSecrets(line: string): string {
  return line
    .replace(secretKeys, (_whole, key: string, value: string) => `${key}${'*'.repeat(value.length)}`)
    .replace(/(\w+:\/\/[^\s/@"',}]*?)(@|[/?])([^\s"',}]*)/g, (_whole, origin: string, next: string, rest: string) => {
      return next === '@'
        ? `${origin.replace(/(:\/\/).*/, (all, slashes: string) => slashes + '*'.repeat(all.length - 3))}@${rest}`
        : `${origin}${next}${'*'.repeat(rest.length)}`
    })
}
