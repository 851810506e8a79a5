import { z } from 'zod'

/** zod's own check of the length fails on mappings that have a `length`: it also runs where there is no list. */
export function atLeastOne<Element extends z.ZodType>(element: Element): z.ZodArray<Element> {
  return z
    .array(element)
    .refine((list) => list.length > 0, { params: { expected: 'at least one', isRightForm: true } })
    .meta({ minItems: 1 })
}
