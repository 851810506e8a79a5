/** Where a long operation stands. */
export interface Progress {
  /** What is being done now; each operation lists its phases. */
  readonly phase: string
  /** Units done and expected in this phase; `total` is undefined while it is not known. */
  readonly done: number
  readonly total: number | undefined
  readonly unit: 'bytes' | 'pages' | 'objects'
}

/** Called often, at the pace of the work; it must return at once. Rate and time left are the receiver's to compute. */
export type OnProgress = (progress: Progress) => void
