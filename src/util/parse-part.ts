/** `10%`, `0.5 %`, `1/7`, `0.1` as a part of one, 0 < part ≤ 1; undefined if it is none. */
export function parsePart(text: string): number | undefined {
  const trimmed = text.trim()
  const percent = /^(\d+(?:\.\d+)?)\s*%$/.exec(trimmed)
  const fraction = /^(\d+)\s*\/\s*(\d+)$/.exec(trimmed)
  let part = Number.NaN
  if (percent !== null) part = Number(percent[1]) / 100
  else if (fraction !== null) part = Number(fraction[1]) / Number(fraction[2])
  else if (/^\d*\.?\d+$/.test(trimmed)) part = Number(trimmed)
  return part > 0 && part <= 1 ? part : undefined
}
