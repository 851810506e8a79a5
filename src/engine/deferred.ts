export interface Deferred {
  /** Once: a second start changes nothing. */
  readonly start: () => void
  readonly cancel: () => void
}

/** Work that is done after a while, unless it is called off. */
export function deferred(milliseconds: number, work: () => void): Deferred {
  let timer: NodeJS.Timeout | undefined
  return {
    start: () => {
      timer ??= setTimeout(work, milliseconds)
    },
    cancel: () => clearTimeout(timer),
  }
}
