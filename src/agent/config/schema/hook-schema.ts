import { z } from 'zod'
import { hookOperations } from '../config.ts'
import { commandSchema } from './command-schema.ts'
import { atLeastOne } from './list.ts'
import { choice, duration } from './scalars.ts'

const kinds = ['all', ...hookOperations] as const
const which = z.union([choice('operations', kinds), atLeastOne(choice('an operation', hookOperations))])

export const hookSchema = z.strictObject({
  before: which.describe('run before these operations').optional(),
  after: which.describe('run after these operations').optional(),
  command: commandSchema,
  timeout: duration('how long it may take; default 1m', '5m').optional(),
  when: choice('with "after": how the operation must have ended; default always', [
    'always',
    'success',
    'failure',
  ]).optional(),
  onFailure: choice('with "before": what a failure of the command does to the operation; default fail', [
    'fail',
    'warn',
  ]).optional(),
})

export type HookInput = z.infer<typeof hookSchema>
