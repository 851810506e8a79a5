import { CST, Lexer } from 'yaml'
import type { ConfigProblem } from './problem.ts'
import { configSchema } from './schema/config-schema.ts'
import { allKeys } from './schema/known-keys.ts'

/** A line of the file, and how many characters of it are marked, from a column (from 0 on). */
export interface Excerpt {
  readonly shown: string
  readonly column: number
  readonly length: number
}

export type Marked = Pick<ConfigProblem, 'line' | 'column' | 'length' | 'isHarmless'>

const mask = '***'
const structure: readonly (CST.TokenType | null)[] = [
  'space',
  'newline',
  'comma',
  'explicit-key-ind',
  'map-value-ind',
  'seq-item-ind',
  'flow-map-start',
  'flow-map-end',
  'flow-seq-start',
  'flow-seq-end',
]

interface Piece {
  readonly start: number
  readonly text: string
  readonly isShown: boolean
}

/**
 * Lines to show beside problems. Of what the file says, they have the known keys, the brackets and commas between them, and what is marked if
 * that is harmless; all else is masked, as whatever is not known may be a secret, also where the file is broken.
 */
export class Excerpts {
  readonly #lines: readonly (readonly Piece[])[]

  constructor(text: string) {
    this.#lines = linesOf(piecesOf(text))
  }

  /** Undefined where there is no such line. */
  of({ line, column, length, isHarmless }: Marked): Excerpt | undefined {
    const pieces = this.#lines[line - 1]
    if (pieces === undefined) return undefined
    const start = (pieces[0]?.start ?? 0) + column - 1
    let shown = ''
    let mark: Pick<Excerpt, 'column' | 'length'> | undefined
    for (const piece of pieces) {
      const end = piece.start + piece.text.length
      const isMarked = start < end && piece.start < start + length
      const isShown = piece.isShown || (isMarked && isHarmless)
      if (start < end && mark === undefined) {
        const into = isShown ? start - piece.start : 0
        mark = {
          column: shown.length + into,
          length: isShown ? Math.min(length, piece.text.length - into) : mask.length,
        }
      }
      shown += isShown ? piece.text : masked(piece.text)
    }
    return { shown, ...(mark ?? { column: shown.length, length: 1 }) }
  }
}

/** Indentation is no secret, and tells where in the file one is. */
function masked(text: string): string {
  return text.replace(/\S(?:.*\S)?/, mask)
}

function piecesOf(text: string): Piece[] {
  const known = allKeys(configSchema)
  const tokens = [...new Lexer().lex(text)].filter((token) => !isControl(token))
  // Where the two do not agree, nothing is known of the text.
  if (tokens.join('') !== text) return [{ start: 0, text, isShown: false }]
  const types = tokens.map((token) => CST.tokenType(token))
  let start = 0
  return tokens.map((token, index) => {
    const piece = { start, text: token, isShown: structure.includes(types[index] ?? null) || isKey(index) }
    start += token.length
    return piece
  })

  function isKey(index: number): boolean {
    if (!known.has(tokens[index] ?? '')) return false
    const after = types[index + 1] === 'space' ? index + 2 : index + 1
    return types[after] === 'map-value-ind'
  }
}

function isControl(token: string): boolean {
  return token === CST.DOCUMENT || token === CST.FLOW_END || token === CST.SCALAR
}

/** Those that go over several lines are cut. */
function linesOf(pieces: readonly Piece[]): Piece[][] {
  let line: Piece[] = []
  const lines = [line]
  for (const { start, text, isShown } of pieces) {
    let at = start
    for (const [index, part] of text.split('\n').entries()) {
      if (index > 0) {
        line = []
        lines.push(line)
      }
      line.push({ start: at, text: part, isShown })
      at += part.length + 1
    }
  }
  return lines
}
