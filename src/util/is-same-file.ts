import { realpath } from 'node:fs/promises'

/** Whether two paths lead to one file of this machine. Neither is opened. What is not there is only the same as itself. */
export async function isSameFile(one: string, other: string): Promise<boolean> {
  if (one === other) return true
  const [here, there] = await Promise.all([one, other].map((path) => realpath(path).catch(() => path)))
  return here === there
}
