/** Blocks stand in the order of these numbers. */
export const blockType = {
  records: 0,
  pageTable: 1,
  commitTable: 2,
} as const
export type BlockType = (typeof blockType)[keyof typeof blockType]

/** A block before compression. */
export interface RawBlock {
  readonly type: BlockType
  /** Records, pages or commits inside. */
  readonly count: number
  /** First page, or in a commit table the first LSN. */
  readonly firstKey: number
  readonly payload: Uint8Array
  /** Gives the payload's memory back, for a later block. Called at most once, when nobody will look at it any more. */
  readonly release?: (() => void) | undefined
}
