import type { Excerpts } from '../../agent/config/excerpt.ts'
import type { ConfigProblem } from '../../agent/config/problem.ts'

const widest = 100
const before = 40

type Shown = Pick<ConfigProblem, 'file' | 'line' | 'column' | 'length' | 'isHarmless' | 'path' | 'message'>

/** A problem with the line that it is about, and a mark below it. */
export function problemText({ file, path, message, ...marked }: Shown, excerpts: Excerpts | undefined): string {
  const { line, column } = marked
  const head = `${file}:${line}:${column}${path === '' ? '' : `  ${path}`}`
  const excerpt = excerpts?.of(marked)
  if (excerpt === undefined) return `${head}\n  ${message}`
  const number = String(line)
  const { shown, mark } = cut(excerpt.shown, excerpt.column, excerpt.length)
  const margin = ' '.repeat(number.length)
  return [head, `  ${number} | ${shown}`, `  ${margin} | ${mark}`, `  ${message}`].join('\n')
}

function cut(source: string, column: number, length: number): { readonly shown: string; readonly mark: string } {
  const line = source.replace(/\r$/, '').replaceAll('\t', ' ')
  const start = line.length > widest ? Math.max(0, column - before) : 0
  const part = line.slice(start, start + widest)
  const [left, right] = [start > 0 ? '…' : '', start + widest < line.length ? '…' : '']
  const width = Math.max(1, Math.min(length, part.length - (column - start)))
  return { shown: `${left}${part}${right}`, mark: `${' '.repeat(left.length + column - start)}${'^'.repeat(width)}` }
}
