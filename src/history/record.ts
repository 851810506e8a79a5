/** One change of one key. See docs/format.md for how records are stored. */
export type HistoryRecord =
  | { readonly op: 'full'; readonly value: Uint8Array }
  | ({ readonly op: 'patch' } & Patch)
  | { readonly op: 'drop' }

/** How a value comes from the former one, which is as long: byte `i` is `former[sources[i]] ^ xor[i]`. */
export interface Patch {
  readonly xor: Uint8Array
  /** As long as `xor`, each below that length. Undefined: no byte moves, so `sources[i]` is `i`. */
  readonly sources?: Uint32Array | undefined
}
