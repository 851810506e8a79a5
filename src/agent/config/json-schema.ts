import { z } from 'zod'
import { configSchema } from './schema/config-schema.ts'

/** For editors: docs/holdfast.schema.json. */
export function configJsonSchema(): object {
  const { $schema, ...schema } = z.toJSONSchema(configSchema, { io: 'input', reused: 'ref' })
  return {
    $schema,
    title: 'holdfast.yaml',
    description: 'Configuration of the Holdfast agent: docs/configuration.md.',
    ...schema,
  }
}
