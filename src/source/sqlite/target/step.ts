/** Called before each step that changes the file system, with its name. Fault loops throw from it, or end the process. */
export type OnStep = (step: string) => void

export interface TargetShape {
  /** Bytes: a power of two from 512 to 65536. */
  readonly pageSize: number
  /** Pages of the new state; 0 for an empty database. */
  readonly pageCount: number
}
