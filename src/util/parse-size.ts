const binary: Readonly<Record<string, number>> = { '': 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 }
const decimal: Readonly<Record<string, number>> = { '': 1, k: 1e3, m: 1e6, g: 1e9, t: 1e12 }

/** `4MiB`, `4M`, `1.5 GiB` (binary), `64MB` (decimal), `4194304`; in bytes, or undefined if it is no size. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?)(i?b)?$/i.exec(text.trim())
  if (match === null) return undefined
  const [, amount = '', prefix = '', ending = ''] = match
  const units = ending.toLowerCase() === 'b' ? decimal : binary
  return Math.round(Number(amount) * (units[prefix.toLowerCase()] ?? 1))
}
