import type { YAMLError } from 'yaml'
import type { ProblemFacts } from '../problem.ts'

/** What the YAML parser complains of, in plain words. */
export function syntaxProblem({ code, message, pos: [start, end] }: YAMLError, text: string): ProblemFacts {
  if (text.slice(start - 1, start + 1) === '${')
    return {
      path: '',
      span: { start: start - 1, end },
      message: `Inside of { } and [ ], a text with "\${" must stand in quotes.`,
    }
  const quote = /^Missing closing (["'])quote/.exec(message)?.[1]
  if (quote !== undefined) {
    const opened = lastQuote(text.slice(0, end), quote)
    const span = { start: opened, end: opened + 1 }
    return { path: '', span, message: 'The quote that begins here has no end.' }
  }
  return { path: '', span: { start, end }, message: words(code, message, text[start]) }
}

/** Of the text, nothing but the one character is repeated: what stands where it should not may be a secret. */
function words(code: YAMLError['code'], message: string, first = ''): string {
  switch (code) {
    case 'TAB_AS_INDENT':
      return 'A tab stands where spaces are expected: YAML is indented by spaces only.'
    case 'BAD_SCALAR_START':
      return `A text cannot begin with ${JSON.stringify(first)}: put it in quotes.`
    case 'BLOCK_AS_IMPLICIT_KEY':
      return 'A second ": " in one line. Put the value in quotes, or begin a new line.'
    case 'RESOURCE_EXHAUSTION':
      return 'Nested too deeply.'
    case 'BAD_COLLECTION_TYPE':
    case 'TAG_RESOLVE_FAILED':
      return 'Tags mean nothing here. Put a text that begins with "!" in quotes.'
    case 'BAD_DIRECTIVE':
      return 'A line that begins with "%" means nothing here.'
    case 'BAD_DQ_ESCAPE':
      return 'Inside of double quotes, "\\" begins nothing that YAML knows. Write "\\\\", or use single quotes.'
    case 'UNEXPECTED_TOKEN':
      return 'This is not YAML: what stands here does not belong here. See whether a quote, comma or bracket is missing before it.'
    case 'MISSING_CHAR':
      if (message.startsWith('Implicit map keys')) return 'Expected a key with a colon behind it, "key: value".'
      return sentence(message)
    case 'BAD_INDENT':
      return `${sentence(message)} See whether the indentation is right.`
    default:
      return sentence(message)
  }
}

function sentence(text: string): string {
  return `This is not YAML: ${text}${/[.!?]$/.test(text) ? '' : '.'}`
}

/** Had another one come after it, it would have been the end. */
function lastQuote(text: string, quote: string): number {
  let at = text.lastIndexOf(quote)
  while (quote === '"' && at > 0 && /(?<!\\)(?:\\\\)*\\$/.test(text.slice(0, at))) at = text.lastIndexOf(quote, at - 1)
  return Math.max(0, at)
}
