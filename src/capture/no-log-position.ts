import type { FollowPosition } from '../source/follower.ts'

/** Of a database without a log there is none to stand in; whoever finds this position begins anew, by page hashes. */
export function noLogPosition(pageSize: number, pageCount: number): FollowPosition {
  const none = '0'.repeat(16)
  return { file: '', pageSize, pageCount, salts: none, state: none, frame: 0, checksum: [0, 0] }
}

export function isNoLogPosition({ file }: FollowPosition): boolean {
  return file === ''
}
