/** The environment in texts: `${NAME}`, `${NAME:-default}`; `$${` stands for `${`. */

export type Interpolated =
  | { readonly text: string; readonly problems?: undefined }
  | { readonly text?: undefined; readonly problems: readonly string[] }

const reference = /\$\$\{|\$\{([^}]*)(\}?)/g
const form = /^([A-Za-z_][A-Za-z0-9_]*)(?::-(.*))?$/s

export function isInterpolated(text: string): boolean {
  return text.includes('${')
}

/** So that a text stands for itself when it is read. */
export function escaped(text: string): string {
  // In a replacement that is a text, "$$" would mean "$".
  return text.replaceAll('${', () => '$${')
}

/** The names of all variables that a text may ask for. */
export function variablesIn(text: string): ReadonlySet<string> {
  return new Set(Array.from(text.matchAll(/(?<!\$)\$\{([A-Za-z_][A-Za-z0-9_]*)/g), ([, name = '']) => name))
}

/** An empty variable counts as unset, so that `${NAME:-default}` means what it means in a shell. */
export function interpolate(text: string, environment: Readonly<Record<string, string | undefined>>): Interpolated {
  const problems: string[] = []
  const result = text.replace(reference, (whole, inside: string | undefined, end: string | undefined) => {
    if (whole === '$${' || inside === undefined) return '${'
    if (end === '') {
      problems.push(`"\${" has no "}" after it. Write "$\${" for the characters themselves.`)
      return ''
    }
    const [, name, otherwise] = form.exec(inside) ?? []
    if (name === undefined) {
      problems.push(
        `Expected \${NAME} or \${NAME:-default}, got something else in the braces. Write "$\${" for the characters themselves.`,
      )
      return ''
    }
    const value = environment[name]
    if (value !== undefined && (value !== '' || otherwise === undefined)) return value
    if (otherwise !== undefined) return otherwise
    problems.push(`The environment variable ${name} is not set. Set it, or write \${${name}:-default}.`)
    return ''
  })
  return problems.length === 0 ? { text: result } : { problems }
}
