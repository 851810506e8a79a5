import { createInterface } from 'node:readline/promises'
import type { Session } from './session.ts'
import { usageError } from './usage-error.ts'

/**
 * Asks before something is lost for good. Where nobody can be asked, `--yes` must have been given.
 * @throws USAGE, ABORTED
 */
export async function confirm({ interactive, signal }: Session, question: string): Promise<boolean> {
  if (!interactive)
    throw usageError(
      'This cannot be undone, and there is no terminal to ask at.',
      'Say --yes if it is meant, or --dry-run to see what would be done.',
    )
  const prompt = createInterface({ input: process.stdin, output: process.stderr })
  // Ctrl-C at the prompt reaches readline, not the process.
  prompt.on('SIGINT', () => process.kill(process.pid, 'SIGINT'))
  try {
    const answer = await prompt.question(`${question} [y/N] `, { signal })
    return /^y(es)?$/i.test(answer.trim())
  } finally {
    prompt.close()
  }
}
