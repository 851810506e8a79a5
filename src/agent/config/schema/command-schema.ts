import { z } from 'zod'
import { atLeastOne } from './list.ts'
import { text } from './scalars.ts'

export const commandSchema = z
  .union([text('given to the shell', 'a command'), atLeastOne(text('the program, then its arguments'))])
  .describe('a text for the shell, or a list of a program and its arguments')

/** @param list not empty */
export function commandOf(command: z.infer<typeof commandSchema>): string | readonly [string, ...string[]] {
  if (typeof command === 'string') return command
  const [program = '', ...parameters] = command
  return [program, ...parameters]
}
