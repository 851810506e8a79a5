export interface Column {
  readonly title: string
  readonly align?: 'left' | 'right'
}

/** Aligned columns with their titles; columns without a single value are left out. No line ends in spaces. */
export function formatTable(columns: readonly Column[], rows: readonly (readonly string[])[]): string {
  const shown = columns.flatMap((column, index) => {
    const cells = rows.map((row) => row[index] ?? '')
    if (cells.every((cell) => cell === '')) return []
    const width = Math.max(column.title.length, ...cells.map((cell) => cell.length))
    const fit = (cell: string) => (column.align === 'right' ? cell.padStart(width) : cell.padEnd(width))
    return [[column.title, ...cells].map(fit)]
  })
  return rowsOf(shown)
    .map((row) => row.join('  ').trimEnd())
    .join('\n')
}

/** `label   value` lines, the values one below the other, also those of several lines; entries without a value are left out. */
export function formatFacts(facts: readonly (readonly [label: string, value: string | undefined])[]): string {
  const known = facts.flatMap(([label, value]) =>
    value === undefined || value === '' ? [] : [[label, value] as const],
  )
  const width = Math.max(0, ...known.map(([label]) => label.length))
  const indent = `\n${' '.repeat(width + 2)}`
  return known.map(([label, value]) => `${label.padEnd(width)}  ${value.replaceAll('\n', indent)}`).join('\n')
}

function rowsOf(columns: readonly (readonly string[])[]): string[][] {
  const count = columns[0]?.length ?? 0
  return Array.from({ length: count }, (_, row) => columns.map((cells) => cells[row] ?? ''))
}
