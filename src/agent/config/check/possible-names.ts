/** Whether a pattern can ever find a database that has a certain name in the repository. Where that is hard to tell, it can. */
import { relative, sep } from 'node:path'
import { fixedPart } from '../../discovery/database-names.ts'

/** Longer names are cut. */
const longest = 100

export function canFind(pattern: string, name: string): boolean {
  if (name.length >= longest || pattern.includes('(')) return true
  return nameShape(relative(fixedPart(pattern), pattern).split(sep).join('/')).test(name)
}

/** `*b` finds `app.db`, too. */
function isPartOfEnding(end: string): boolean {
  return ['db', 'db3', 'sqlite', 'sqlite3', 's3db', 'sl3'].some((ending) => ending.endsWith(end.toLowerCase()))
}

/** As the names are made of paths: `nameBelow` and `databaseNameFrom`. @param below the part of a pattern that is not fixed */
function nameShape(below: string): RegExp {
  const parts = below
    // Of an ending among several, or a part of one, it is not known whether it belongs to the name.
    .replace(/\.?(\{[^/]*|\.[^./]*[*?[][^./]*)$/, '*')
    .replace(/\.(db|db3|sqlite|sqlite3|s3db|sl3)$/i, '')
    .replace(/(?<=[*?\]][^*?\][{}/.]*)[^*?\][{}/.]+$/, (end) => (isPartOfEnding(end) ? '*' : end))
    .match(/\*\*\/|\*+|\?|\[[^\]/]*\]|\{[^}/]*\}|\/|./gs)
  // A name begins with a letter, a digit or "_": what comes before the first of them is lost.
  const first = (parts ?? []).findIndex((part) => /^\w$/.test(part))
  const shape = (parts ?? []).map((part, index) => {
    const perhaps = first < 0 || index < first ? '?' : ''
    if (part === '**/') return '(?:.*-)?'
    if (part === '/') return `-${perhaps}`
    if (part === '?' || (part.startsWith('[') && part.length > 1)) return '.?'
    if (part.startsWith('*') || part.startsWith('{')) return '.*'
    // Whatever no name may have becomes one hyphen.
    return /[\w.+=-]/.test(part) ? `${RegExp.escape(part)}${perhaps}` : '-*'
  })
  // Another database may have the name already: then this one gets a tail.
  return new RegExp(`^${shape.join('')}(?:-[0-9a-f]{6})?$`, 's')
}
