/** Changes of a text at known places, so that everything else in it stays as it was. */

export interface Splice {
  readonly start: number
  readonly end: number
  /** What stands there afterwards. */
  readonly text: string
}

/** Of changes that do not overlap. */
export function splice(text: string, ...changes: readonly Splice[]): string {
  const last = changes.toSorted((a, b) => b.start - a.start || b.end - a.end)
  return last.reduce((changed, { start, end, text: put }) => changed.slice(0, start) + put + changed.slice(end), text)
}

export function newlineOf(text: string): string {
  return text.includes('\r\n') ? '\r\n' : '\n'
}

export function lineStartOf(text: string, at: number): number {
  return text.lastIndexOf('\n', at - 1) + 1
}

/** The end of the line that a place is on, before its line break. */
export function lineEndAfter(text: string, at: number): number {
  const end = text.indexOf('\n', at)
  if (end === -1) return text.length
  return text[end - 1] === '\r' && end > at ? end - 1 : end
}

export function columnOf(text: string, at: number): number {
  return at - lineStartOf(text, at)
}

/** Where what ends at a place really ends: before the spaces and line breaks there. */
export function trimmedEnd(text: string, end: number): number {
  return text.slice(0, end).trimEnd().length
}
