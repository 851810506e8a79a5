/** What a page of metrics says, by series: `name{label="value"}`, as it stands there. */
export function samplesOf(page: string): ReadonlyMap<string, number> {
  const samples = new Map<string, number>()
  for (const line of page.split('\n')) {
    if (line === '' || line.startsWith('#')) continue
    const space = line.lastIndexOf(' ')
    samples.set(line.slice(0, space), Number(line.slice(space + 1)))
  }
  return samples
}
