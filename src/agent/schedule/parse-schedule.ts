import { HoldfastError } from '../../errors.ts'
import { durationOf, type Parsed, parseTrigger, type ScheduleProblem } from './parse-trigger.ts'
import { defaultScheduleId } from './schedule-id.ts'
import type { ScheduleInput } from './schedule-input.ts'
import type { ScheduleSpec } from './schedule-spec.ts'

export type ScheduleField = keyof ScheduleInput

const idForm = /^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$/i

/** A schedule as people write it. All problems at once, in the order of the fields. */
export function readScheduleSpec(input: ScheduleInput): Parsed<ScheduleSpec, ScheduleField> {
  const { id, type, jitter, tags, ...when } = input
  const trigger = parseTrigger(when)
  const problems: ScheduleProblem<ScheduleField>[] = [...(trigger.problems ?? [])]
  if (id !== undefined && !idForm.test(id)) {
    problems.unshift({ field: 'id', message: `Expected letters, digits, ".", "_" and "-", at most 64, got "${id}".` })
  }
  const jitterMs = jitter === undefined ? undefined : durationOf(jitter)
  if (jitter !== undefined && jitterMs === undefined) {
    problems.push({ field: 'jitter', message: `Expected a duration such as 5m, got "${jitter}".` })
  }
  if (problems.length > 0 || trigger.value === undefined) return { problems }
  return {
    value: {
      id: id ?? defaultScheduleId(type, trigger.value),
      action: type,
      trigger: trigger.value,
      ...(jitterMs === undefined ? {} : { jitterMs }),
      ...(tags === undefined ? {} : { tags }),
    },
  }
}

/**
 * As {@link readScheduleSpec}, for those who have nowhere to show problems.
 * @throws USAGE with every problem, and the field that it is about
 */
export function parseScheduleSpec(input: ScheduleInput): ScheduleSpec {
  const { value, problems } = readScheduleSpec(input)
  if (problems === undefined) return value
  const [first, ...others] = problems
  const also = others.map(({ message }) => message).join(' ')
  throw new HoldfastError('USAGE', `This is no schedule: ${first?.message ?? 'it is empty.'}`, {
    object: first?.field,
    hint: also === '' ? undefined : also,
  })
}
