import { isAlias, isMap, isNode, isScalar, isSeq, type Node, type Pair, parseAllDocuments, type YAMLMap } from 'yaml'
import { interpolate, isInterpolated } from '../interpolate.ts'
import type { ProblemFacts, Span } from '../problem.ts'
import { type ConfigPath, keyText, pathText } from './config-path.ts'
import { syntaxProblem } from './syntax-problem.ts'

/** Where a value stands, and how it is written there. */
export interface Place {
  readonly value: Span
  /** Undefined for elements of lists. */
  readonly key: Span | undefined
  /** As the file has it; undefined for lists and mappings. */
  readonly written: string | undefined
}

/** The file's content as plain data. Mappings have no prototype. */
export interface ConfigDocument {
  readonly value: unknown
  readonly places: Places
  /** What is wrong although the content could be read. */
  readonly problems: readonly ProblemFacts[]
}

export class Places {
  readonly #places = new Map<string, Place>()
  /** What the file calls the last step of a path. */
  readonly #renamed = new Map<string, string>()

  add(path: ConfigPath, place: Place): void {
    this.#places.set(JSON.stringify(path), place)
  }

  get(path: ConfigPath): Place | undefined {
    return this.#places.get(JSON.stringify(this.original(path)))
  }

  /** From now on, paths that have `to` there mean what the file calls `key`. */
  rename(inside: ConfigPath, key: string, to: string): void {
    this.#renamed.set(JSON.stringify([...inside, to]), key)
  }

  /** As the file has it. */
  original(path: ConfigPath): ConfigPath {
    return path.map((step, index) => this.#renamed.get(JSON.stringify(path.slice(0, index + 1))) ?? step)
  }

  textOf(path: ConfigPath): string {
    return pathText(this.original(path))
  }

  /** Of a single value; of a list, a mapping, or nothing at all, of the key before it; of what is missing, of what should have it. */
  spanOf(path: ConfigPath): Span {
    const place = this.get(path)
    if (place !== undefined) return place.written ? place.value : (place.key ?? firstOf(place.value))
    return path.length === 0 ? { start: 0, end: 1 } : this.spanOf(path.slice(0, -1))
  }

  keySpanOf(path: ConfigPath): Span {
    return this.get(path)?.key ?? this.spanOf(path)
  }
}

/** Of something that goes over many lines, only its beginning is marked. */
function firstOf({ start }: Span): Span {
  return { start, end: start + 1 }
}

/** `from: a@b`, and `password:abc` in the next line: to YAML, all of it is one text. */
const swallowedKey = /\n\s*[A-Za-z][\w-]*[:=]/

/** Aliases are followed, so that a short text may stand for a large tree. */
const mostValues = 200_000
const deepest = 50

/**
 * Reads YAML 1.2. Environment variables are put into texts only after the structure is known: no value can change it.
 * `value` is undefined when the content could not be read at all.
 */
export function readDocument(text: string, environment: Readonly<Record<string, string | undefined>>): ConfigDocument {
  const reader = new Reader(text, environment)
  return { value: reader.read(), places: reader.places, problems: reader.problems }
}

class Reader {
  readonly places = new Places()
  readonly problems: ProblemFacts[] = []
  readonly #text: string
  readonly #environment: Readonly<Record<string, string | undefined>>
  readonly #anchors = new Map<string, Node>()
  readonly #open = new Set<Node>()
  #values = 0

  constructor(text: string, environment: Readonly<Record<string, string | undefined>>) {
    this.#text = text
    this.#environment = environment
  }

  read(): unknown {
    const documents = [
      ...parseAllDocuments(this.#text, { version: '1.2', prettyErrors: false, uniqueKeys: false, logLevel: 'silent' }),
    ]
    const [document, another] = documents
    const complaints = documents.flatMap(({ errors, warnings }) => [...errors, ...warnings])
    const [first] = complaints.toSorted((a, b) => a.pos[0] - b.pos[0])
    // All that the parser says of what comes after the first error is guesswork.
    if (first !== undefined) this.problems.push(syntaxProblem(first, this.#text))
    if (another !== undefined)
      this.#report([], spanAt(another.range[0]), 'A second document begins here. A configuration is one YAML document.')
    if (complaints.length > 0) return undefined
    if (document === undefined || document.contents === null || isEmpty(document.contents)) {
      this.#report([], spanAt(0), 'The file is empty. Begin with "holdfast config example".')
      return undefined
    }
    if (document.directives.yaml.explicit === true && document.directives.yaml.version !== '1.2') {
      this.#report([], spanAt(0), 'Expected YAML 1.2, got an earlier version.')
      return undefined
    }
    return this.#convert(document.contents, [], undefined)
  }

  #convert(item: unknown, path: ConfigPath, key: Span | undefined): unknown {
    this.#values += 1
    const node = isNode(item) ? item : undefined
    const span = (node && spanOf(node)) ?? key ?? spanAt(0)
    if (this.#values > mostValues) {
      if (this.#values === mostValues + 1) this.#report(path, span, 'The aliases here stand for too many values.')
      return null
    }
    if (path.length > deepest) {
      this.#report(path, span, `Nested too deeply: more than ${deepest} levels.`)
      return null
    }
    if (node === undefined) {
      this.places.add(path, { value: span, key, written: '' })
      return null
    }
    if (!isAlias(node) && node.anchor !== undefined) this.#anchors.set(node.anchor, node)
    if (isAlias(node)) return this.#alias(node.source, path, span, key)
    if (this.#open.has(node)) {
      this.#report(path, span, 'An alias stands for what it is a part of.')
      return null
    }
    this.#open.add(node)
    try {
      return this.#content(node, path, span, key)
    } finally {
      this.#open.delete(node)
    }
  }

  #alias(name: string, path: ConfigPath, span: Span, key: Span | undefined): unknown {
    const target = this.#anchors.get(name)
    if (target !== undefined) return this.#convert(target, path, key)
    this.#report(
      path,
      span,
      'This alias stands for nothing: no anchor of its name comes before it. Put a text that begins with "*" in quotes.',
    )
    return null
  }

  #content(node: Node, path: ConfigPath, span: Span, key: Span | undefined): unknown {
    if (isMap(node)) {
      this.places.add(path, { value: span, key, written: undefined })
      return this.#mapping(node, path)
    }
    if (isSeq(node)) {
      this.places.add(path, { value: span, key, written: undefined })
      return node.items.map((item, index) => this.#convert(item, [...path, index], undefined))
    }
    const value = isScalar(node) ? node.value : null
    const written = node.range ? this.#text.slice(node.range[0], node.range[1]) : ''
    if (isScalar(node) && node.type === 'PLAIN' && swallowedKey.test(written))
      this.#report(
        path,
        span,
        'The next line belongs to this text, as its key has no ": " behind it. Write "key: value", or put the text in quotes.',
      )
    this.places.add(path, { value: span, key, written })
    return typeof value === 'string' && isInterpolated(value) ? this.#interpolated(value, path, span) : value
  }

  #mapping({ items }: YAMLMap, path: ConfigPath): Record<string, unknown> {
    const mapping: Record<string, unknown> = Object.create(null)
    for (const pair of items) {
      const key = this.#key(pair, path)
      if (key === undefined) continue
      const inside = [...path, key.name]
      if (Object.hasOwn(mapping, key.name))
        this.#report(inside, key.span, `The key ${keyText(key.name)} is given twice.`)
      else mapping[key.name] = this.#convert(pair.value, inside, key.span)
    }
    return mapping
  }

  #key({ key, value }: Pair, path: ConfigPath): { readonly name: string; readonly span: Span } | undefined {
    const span = (isNode(key) && spanOf(key)) || this.places.spanOf(path)
    if (!isScalar(key)) {
      this.#report(path, span, 'A key must be a plain text.')
      return undefined
    }
    if (value === null) {
      this.#report(path, span, 'Expected "key: value", with a colon and a space between them.')
      return undefined
    }
    const name = typeof key.value === 'string' ? key.value : this.#text.slice(span.start, span.end)
    if (name === '<<') {
      this.#report(
        [...path, name],
        span,
        'Merge keys are not supported. What databases have in common goes into "defaults".',
      )
      return undefined
    }
    if (name === '__proto__') {
      this.#report(path, span, 'The key "__proto__" cannot be used.')
      return undefined
    }
    return { name, span }
  }

  #interpolated(text: string, path: ConfigPath, span: Span): string {
    const result = interpolate(text, this.#environment)
    for (const message of result.problems ?? []) this.#report(path, span, message)
    return result.text ?? unknownText
  }

  #report(path: ConfigPath, span: Span, message: string): void {
    this.problems.push({ path: pathText(path), span, message })
  }
}

/** In the place of a text that could not be made: a problem was reported, and more about it would be noise. */
export const unknownText: string = '\0unknown'

function isEmpty(node: Node): boolean {
  return isScalar(node) && node.value === null && (node.source ?? '') === ''
}

function spanOf({ range }: Node): Span | undefined {
  return range ? { start: range[0], end: Math.max(range[1], range[0] + 1) } : undefined
}

function spanAt(start: number): Span {
  return { start, end: start + 1 }
}
