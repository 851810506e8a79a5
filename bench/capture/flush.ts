import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs'
import type { Workspace } from '../workspace.ts'
import { percentile } from './percentile.ts'

const bytes = 64 << 10
const rounds = 100

/** How long it takes to write a little and have it flushed to the disk of the workspace, in milliseconds: the median. */
export function flushMs(workspace: Workspace): number {
  const file = openSync(workspace.path('flush'), 'w')
  try {
    const content = Buffer.alloc(bytes, 1)
    const took: number[] = []
    for (let round = 0; round < rounds; round++) {
      writeSync(file, content, 0, bytes, 0)
      const begun = performance.now()
      fdatasyncSync(file)
      took.push(performance.now() - begun)
    }
    return percentile(took, 0.5)
  } finally {
    closeSync(file)
    workspace.remove('flush')
  }
}
