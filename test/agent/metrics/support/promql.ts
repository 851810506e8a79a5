export interface LabelMatcher {
  readonly label: string
  readonly operator: string
  readonly value: string
}

/** A parser for the part of PromQL that alert rules and dashboards here use. */
export type PromQl =
  | { readonly kind: 'number' | 'string' }
  | {
      readonly kind: 'selector'
      readonly metric: string
      readonly matchers: readonly LabelMatcher[]
      readonly isRange: boolean
    }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly PromQl[] }
  | { readonly kind: 'aggregate'; readonly by: readonly string[]; readonly args: readonly PromQl[] }
  | { readonly kind: 'binary'; readonly left: PromQl; readonly right: PromQl }

const aggregations = ['sum', 'max', 'min', 'avg', 'count', 'topk']
/** By name: what each argument must be. */
const functions: Readonly<Record<string, readonly ('range' | 'instant')[]>> = {
  time: [],
  vector: ['instant'],
  absent: ['instant'],
  rate: ['range'],
  increase: ['range'],
  max_over_time: ['range'],
  deriv: ['range'],
  histogram_quantile: ['instant', 'instant'],
}
/** From the weakest to the strongest. */
const operators = [['or'], ['and', 'unless'], ['==', '!=', '<=', '>=', '<', '>'], ['+', '-'], ['*', '/', '%'], ['^']]

const token =
  /\s*(?:([A-Za-z_:][\w:]*)|(\d+(?:ms|[smhdwy])(?![\w.]))|(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|("(?:[^"\\]|\\.)*")|(=~|!~|==|!=|<=|>=|[-+*/%^<>=(){}[\],]))/y

/** @throws Error where it is not PromQL, or none of the part known here */
export function parsePromQl(text: string): PromQl {
  return new Parser(text).whole()
}

class Parser {
  readonly #tokens: string[] = []
  #at = 0

  constructor(text: string) {
    token.lastIndex = 0
    while (text.slice(token.lastIndex).trim() !== '') {
      const from = token.lastIndex
      const match = token.exec(text)
      if (match === null) throw new Error(`Not understood: ${text.slice(from)}`)
      this.#tokens.push(match[0].trim())
    }
  }

  whole(): PromQl {
    const parsed = this.#binary(0)
    if (this.#peek() !== undefined) throw new Error(`Not expected: ${this.#peek()}`)
    return parsed
  }

  #peek(): string | undefined {
    return this.#tokens[this.#at]
  }

  #take(wanted?: string): string {
    const next = this.#tokens[this.#at]
    if (next === undefined || (wanted !== undefined && next !== wanted))
      throw new Error(`Expected ${wanted ?? 'more'}, found ${next ?? 'the end'}.`)
    this.#at += 1
    return next
  }

  #binary(level: number): PromQl {
    const known = operators[level]
    if (known === undefined) return this.#single()
    let left = this.#binary(level + 1)
    while (known.includes(this.#peek() ?? '')) {
      this.#take()
      left = { kind: 'binary', left, right: this.#binary(level + 1) }
    }
    return left
  }

  #single(): PromQl {
    const next = this.#take()
    if (next === '(') {
      const inner = this.#binary(0)
      this.#take(')')
      return inner
    }
    if (/^\d/.test(next)) {
      if (/[a-z]$/.test(next)) throw new Error(`A duration stands where none can: ${next}`)
      return { kind: 'number' }
    }
    if (next.startsWith('"')) return { kind: 'string' }
    if (!/^[A-Za-z_:]/.test(next)) throw new Error(`Not expected: ${next}`)
    if (aggregations.includes(next)) return this.#aggregate()
    if (this.#peek() === '(') return this.#call(next)
    return this.#selector(next)
  }

  #aggregate(): PromQl {
    const by = this.#grouping()
    const args = this.#arguments()
    return { kind: 'aggregate', by: by ?? this.#grouping() ?? [], args }
  }

  #grouping(): string[] | undefined {
    if (this.#peek() !== 'by') return undefined
    this.#take()
    this.#take('(')
    return this.#list(')', () => this.#take())
  }

  #call(name: string): PromQl {
    const wanted = functions[name]
    if (wanted === undefined) throw new Error(`Unknown function: ${name}`)
    const args = this.#arguments()
    if (args.length !== wanted.length) throw new Error(`${name} takes ${wanted.length} arguments.`)
    for (const [i, arg] of args.entries())
      if ((arg.kind === 'selector' && arg.isRange) !== (wanted[i] === 'range'))
        throw new Error(`${name} wants another kind of argument.`)
    return { kind: 'call', name, args }
  }

  #arguments(): PromQl[] {
    this.#take('(')
    return this.#list(')', () => this.#binary(0))
  }

  #selector(metric: string): PromQl {
    let matchers: LabelMatcher[] = []
    if (this.#peek() === '{') {
      this.#take()
      matchers = this.#list('}', () => {
        const label = this.#take()
        const operator = this.#take()
        if (!['=', '!=', '=~', '!~'].includes(operator)) throw new Error(`${label} is compared with nothing.`)
        const text = this.#take()
        if (!text.startsWith('"')) throw new Error(`${label} is compared with no text.`)
        return { label, operator, value: text.slice(1, -1) }
      })
    }
    if (this.#peek() !== '[') return { kind: 'selector', metric, matchers, isRange: false }
    this.#take()
    if (!/^\d+[a-z]+$/.test(this.#take())) throw new Error('A range must be a duration.')
    this.#take(']')
    return { kind: 'selector', metric, matchers, isRange: true }
  }

  #list<T>(end: string, each: () => T): T[] {
    const found: T[] = []
    while (this.#peek() !== end) {
      found.push(each())
      if (this.#peek() !== end) this.#take(',')
    }
    this.#take(end)
    return found
  }
}
