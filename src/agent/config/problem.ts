import { HoldfastError } from '../../errors.ts'

/** Something wrong in a configuration file. */
export interface ConfigProblem {
  readonly file: string
  /** `databases[1].retention.daily`; empty for the file as a whole. */
  readonly path: string
  /** From 1 on; of a file that cannot be read, 1. */
  readonly line: number
  readonly column: number
  /** Characters of the line that it is about, at least 1. */
  readonly length: number
  /** Those characters are no secret. */
  readonly isHarmless: boolean
  /** One sentence or more: what was expected, and what was found. Without secrets. */
  readonly message: string
  /** In a few words; null where nothing would have been right. */
  readonly expected: string | null
  /** Null where something is missing, or is secret. */
  readonly got: string | null
  /** The known key or word that is nearest to an unknown one. */
  readonly nearest: string | null
}

/** Where the file says it: characters from its beginning. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** A problem before its line and column are known. */
export type ProblemFacts = Pick<ConfigProblem, 'path' | 'message'> & {
  readonly span: Span
} & Partial<Pick<ConfigProblem, 'isHarmless' | 'expected' | 'got' | 'nearest'>>

/** Several problems of a configuration file in one error. */
export class ConfigError extends HoldfastError {
  override readonly name = 'ConfigError'
  readonly problems: readonly ConfigProblem[]

  /** @param wrong as it was loaded */
  constructor(file: string, { problems, isMissing = false }: WrongConfig) {
    super('CONFIG_INVALID', isMissing ? `There is no file ${file}.` : messageOf(problems), {
      object: file,
      hint: isMissing ? beginHint(file) : `See "holdfast config check ${file}".`,
    })
    this.problems = problems
  }
}

/** What loading tells of a configuration that cannot be used. */
export interface WrongConfig {
  readonly problems: readonly ConfigProblem[]
  /** There is no file at all. */
  readonly isMissing?: boolean | undefined
}

/** What to do where there is no file. */
export function beginHint(file: string): string {
  return `"holdfast config example > ${file}" writes one to begin with; --config names one that is elsewhere.`
}

function messageOf(problems: readonly ConfigProblem[]): string {
  const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`
  return [`The configuration has ${count}.`, ...problems.map(problemLine)].join('\n')
}

/** `holdfast.yaml:7:5: databases[0].retention.dayly: Unknown key.` */
export function problemLine({ file, line, column, path, message }: ConfigProblem): string {
  return `${file}:${line}:${column}: ${path === '' ? '' : `${path}: `}${message}`
}

/** In the order of the file, with lines and columns. */
export function locateProblems(file: string, text: string, facts: readonly ProblemFacts[]): ConfigProblem[] {
  const locate = locator(text)
  return facts
    .toSorted((a, b) => a.span.start - b.span.start)
    .map(({ span, isHarmless = false, path, message, expected = null, got = null, nearest = null }) => {
      return { file, path, ...locate(span), isHarmless, message, expected, got, nearest }
    })
}

/** Tells line and column, from 1 on, and how many characters of the line it is. */
export function locator(text: string): (span: Span) => Pick<ConfigProblem, 'line' | 'column' | 'length'> {
  const lineStarts = [0, ...[...text.matchAll(/\n/g)].map(({ index }) => index + 1)]
  return (span) => {
    const start = Math.min(span.start, text.length)
    const line = lineStarts.findLastIndex((at) => at <= start)
    const lineStart = lineStarts[line] ?? 0
    const lineEnd = (lineStarts[line + 1] ?? text.length + 1) - 1
    const length = Math.max(1, Math.min(span.end, lineEnd) - start)
    return { line: line + 1, column: start - lineStart + 1, length }
  }
}
