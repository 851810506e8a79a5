import { HoldfastError } from '../errors.ts'

/**
 * What deletes must not run because a key was mistyped: without types, `dryrun` would be no dry run.
 * @param known all keys of the options @throws USAGE
 */
export function refuseUnknown(options: object, known: Readonly<Record<string, true>>): void {
  const unknown = Object.keys(options).find((key) => !Object.hasOwn(known, key))
  if (unknown === undefined) return
  throw new HoldfastError('USAGE', `There is no option "${unknown}". There are: ${Object.keys(known).join(', ')}.`)
}
