export { counted, formatCount } from '../../util/counted.ts'

/** `0 %`, `0.3 %`, `42 %`; a part of 1. Never rounds up to a whole that is not reached. */
export function formatPercent(part: number): string {
  const percent = part * 100
  if (percent > 99 && percent < 100) return `${Math.floor(percent * 10) / 10} %`
  return Math.abs(percent) < 10 && !Number.isInteger(percent) ? `${percent.toFixed(1)} %` : `${Math.round(percent)} %`
}

/** One word for a POSIX shell, quoted only where it must be. */
export function shellWord(text: string): string {
  return /^[A-Za-z0-9_./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}

/**
 * Makes control characters of file names and of others' messages visible: nothing that Holdfast prints may steer the
 * terminal.
 */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return text.replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/g, (character) => {
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`
  })
}
