/** The known word that a wrong one was probably meant to be; undefined if none is near. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const wanted = word.toLowerCase()
  const most = Math.max(1, Math.floor(wanted.length / 3))
  let best: { readonly word: string; readonly distance: number } | undefined
  for (const candidate of known) {
    if (Math.abs(candidate.length - word.length) > most) continue
    const distance = editDistance(wanted, candidate.toLowerCase())
    if (distance <= most && (best === undefined || distance < best.distance)) best = { word: candidate, distance }
  }
  return best?.word
}

/** Letters to insert, remove, replace or swap with their neighbour to make one word of the other. */
export function editDistance(a: string, b: string): number {
  let [beforeLast, last]: [number[], number[]] = [[], Array.from({ length: b.length + 1 }, (_, column) => column)]
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row]
    for (let column = 1; column <= b.length; column += 1) {
      const cost = a[row - 1] === b[column - 1] ? 0 : 1
      const swapped = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      const choices = [
        (last[column] ?? 0) + 1,
        (current[column - 1] ?? 0) + 1,
        (last[column - 1] ?? 0) + cost,
        ...(swapped && row > 1 && column > 1 ? [(beforeLast[column - 2] ?? 0) + 1] : []),
      ]
      current.push(Math.min(...choices))
    }
    ;[beforeLast, last] = [last, current]
  }
  return last[b.length] ?? 0
}
