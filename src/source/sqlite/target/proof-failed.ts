import { HoldfastError } from '../../../errors.ts'

export function proofFailed(target: string, proof: string, expected: string, got: string): HoldfastError {
  return new HoldfastError(
    'PROOF_FAILED',
    `The restored file failed its proof (${proof}): expected ${expected}, got ${got}.`,
    {
      object: target,
      hint: 'The target is as it was. Run `holdfast verify`, and restore another state if the backup is damaged.',
    },
  )
}
