export type ConfigPath = readonly (string | number)[]

/** `databases[1].retention.daily`; keys that are no plain words are left out, as they may be secrets in the wrong place: `tags["***"]`. */
export function pathText(path: ConfigPath): string {
  let text = ''
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`
    else if (isPlainKey(step)) text += text === '' ? step : `.${step}`
    else if (step === '<<') text += '["<<"]'
    else text += '["***"]'
  }
  return text
}

/** For a message, in quotes. */
export function keyText(key: string): string {
  return isPlainKey(key) ? `"${key}"` : '"***"'
}

export function isPlainKey(key: string): boolean {
  return /^[A-Za-z_][\w-]{0,39}$/.test(key)
}
