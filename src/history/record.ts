/** One change of one key. See docs/format.md for how records are stored. */
export type HistoryRecord =
  | { readonly op: 'full'; readonly value: Uint8Array }
  | { readonly op: 'patch'; readonly xor: Uint8Array }
  | { readonly op: 'drop' }
