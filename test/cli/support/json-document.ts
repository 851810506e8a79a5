/** Makes docs/cli-json.md of the schemas: `UPDATE_DOCS=1 npm test -- test/cli/json-document.test.ts` writes it. */
import { z } from 'zod'
import { auditLine, operationLine } from '../../../src/cli/json/history-schemas.ts'
import { errorLine, followLine, progressLine, resultData, warningLine } from '../../../src/cli/json/schemas.ts'

type JsonSchema = z.core.JSONSchema.BaseSchema

const introduction = `# \`--json\`

With \`--json\` every command writes lines of JSON to stdout, one object a line, and nothing to stderr. \`type\` tells them apart:
any number of \`progress\`, \`warning\` and, from some commands, other lines, then exactly one last line, \`result\` or \`error\`. A second Ctrl-C, or \`kill -9\`,
leaves no last line: its absence means that the command did not end by itself. With \`--quiet\` there is no \`progress\`.

Times are ISO 8601 in UTC with milliseconds, sizes are bytes, durations milliseconds, ratios parts of one. Keys that are
named here stay, with their meaning; later versions may add others, so ignore what you do not know. What is not there is null.

\`--help\` and \`--version\` print text also with \`--json\`.

This page is made from the schemas in \`src/cli/json/\`, against which the tests check every command's real output.

## Exit status

The same as \`exitCode\` in the last line.

| status | meaning |
| --- | --- |
| 0 | done |
| 1 | error |
| 2 | wrong usage |
| 3 | done, with warnings |
| 4 | not found: a file, a repository, a backup, a restorable state |
| 5 | damage found: in the database, in the repository, in what was restored |
| 6 | locked: another process uses the database, or backs it up |
| 7 | storage unreachable |
| 8 | wrong key |
| 130 | interrupted by Ctrl-C (143 by SIGTERM) |

Of several databases that failed in one \`backup\`, the highest status counts.
`

export function jsonDocument(): string {
  const common = [
    ['`progress`', progressLine],
    ['`warning`', warningLine],
    ['`error`', errorLine],
    ['`follow`', followLine],
    ['`operation`', operationLine],
    ['`audit`', auditLine],
  ] as const
  const lines = common.map(([title, schema]) => section(title, schema))
  const results = Object.entries(resultData).map(([command, schema]) => {
    const line = z.strictObject({
      type: z.literal('result'),
      command: z.literal(command),
      exitCode: z.int(),
      ...schema.shape,
    })
    return section(`\`holdfast ${command}\``, line)
  })
  return [introduction, '## Lines of every command\n', ...lines, '## The last line of each command\n', ...results].join(
    '\n',
  )
}

function section(title: string, schema: z.ZodType): string {
  const { description, ...shape } = z.toJSONSchema(schema, { io: 'output' })
  const about = description === undefined ? '' : `${description}\n\n`
  return `### ${title}\n\n${about}\`\`\`ts\n${typeText(shape, '')}\n\`\`\`\n`
}

/** JSON Schema as a TypeScript type, which is shorter to read. */
function typeText(schema: JsonSchema, indent: string): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(' | ')
  const options = schema.anyOf ?? schema.oneOf
  if (options !== undefined) return options.map((option) => typeText(option, indent)).join(' | ')
  if (schema.type === 'array') return arrayText(schema, indent)
  if (schema.type === 'object') return objectText(schema, indent)
  const types = Array.isArray(schema.type) ? schema.type : [schema.type ?? 'unknown']
  return types.map((type) => (type === 'integer' ? 'number' : type)).join(' | ')
}

function arrayText({ items }: JsonSchema, indent: string): string {
  if (items === undefined || typeof items === 'boolean' || Array.isArray(items)) return 'unknown[]'
  const item = typeText(items, indent)
  return item.includes(' | ') && !item.startsWith('{') ? `(${item})[]` : `${item}[]`
}

function objectText({ properties, additionalProperties }: JsonSchema, indent: string): string {
  if (properties === undefined) {
    const value = typeof additionalProperties === 'object' ? typeText(additionalProperties, indent) : 'unknown'
    return `{ [key: string]: ${value} }`
  }
  const inner = `${indent}  `
  const fields = Object.entries(properties).map(([key, value]) => {
    if (typeof value === 'boolean') return `${inner}${key}: unknown`
    const comment = value.description === undefined ? '' : `  // ${value.description}`
    const text = typeText(value, inner)
    // A comment on a whole object stands above it, where it is found.
    return comment === '' || !text.includes('\n')
      ? `${inner}${key}: ${text}${comment}`
      : `${inner}${comment.trim()}\n${inner}${key}: ${text}`
  })
  return `{\n${fields.join('\n')}\n${indent}}`
}
