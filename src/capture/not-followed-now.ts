import { HoldfastError } from '../errors.ts'

/** A backup that waited until it can be followed again might wait for ever. */
export function notFollowedNow(location: string, trouble: string): HoldfastError {
  return new HoldfastError('NOT_RUNNING', `${location} cannot be followed at the moment: ${trouble}`, {
    object: location,
    hint: 'Put that right first: then its follower goes on by itself.',
  })
}
