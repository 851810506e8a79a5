import { hostname, userInfo } from 'node:os'
import { z } from 'zod'

/** Who did it, and from where. */
export const actorSchema = z.strictObject({
  /** Name of the operating system's user; `uid 1000` where it has none. */
  user: z.string(),
  uid: z.int().nullable(),
  /** The user who became this one by `sudo`. */
  sudoUser: z.string().nullable(),
  host: z.string(),
  pid: z.int(),
  /** `holdfast restore`, without its arguments: those could hold secrets. */
  command: z.string(),
  /** Address that a remote shell came from. */
  from: z.string().nullable(),
})
export type Actor = z.infer<typeof actorSchema>

export function currentActor(command: string, environment: NodeJS.ProcessEnv = process.env): Actor {
  const uid = process.getuid?.() ?? null
  return {
    user: userName() ?? (uid === null ? 'unknown' : `uid ${uid}`),
    uid,
    sudoUser: environment['SUDO_USER'] ?? null,
    host: hostname(),
    pid: process.pid,
    command,
    from: environment['SSH_CONNECTION']?.split(' ')[0] ?? null,
  }
}

/** Undefined for a user id without an entry in the user database, as containers have. */
function userName(): string | undefined {
  try {
    return userInfo().username
  } catch {
    return undefined
  }
}
