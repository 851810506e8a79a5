export type IllegalComposition =
  /** A PATCH of a key that was dropped. */
  | 'patch-over-drop'
  /** A PATCH of a key that has no former value: in a base, or of a page that did not exist. */
  | 'patch-over-nothing'
  /** A PATCH of another length than what it changes. */
  | 'unequal-lengths'
  /** A PATCH that takes bytes from where its key has none. */
  | 'source-beyond-end'
  /** A DROP among pages, which go by truncation only. */
  | 'drop-of-page'
  /** The database grew, and a new page has no FULL record. */
  | 'missing-page'

/** Two records, or two steps of a history, do not follow one another: one of them is damaged, or is not of this history. */
export class IllegalCompositionError extends Error {
  override readonly name = 'IllegalCompositionError'
  readonly reason: IllegalComposition
  /** Page number or other key that it is about, where known. */
  readonly key: unknown

  constructor(reason: IllegalComposition, message: string, key?: unknown) {
    super(message)
    this.reason = reason
    this.key = key
  }
}
