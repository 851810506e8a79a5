import assert from 'node:assert/strict'
import { it } from 'node:test'
import { formatBytes } from '../../src/cli/format/bytes.ts'
import { formatDuration } from '../../src/cli/format/duration.ts'
import { sparkline } from '../../src/cli/format/sparkline.ts'
import { formatFacts, formatTable } from '../../src/cli/format/table.ts'
import { counted, formatPercent, printable, shellWord } from '../../src/cli/format/text.ts'
import { parseDuration } from '../../src/cli/parse/duration.ts'
import { parsePart } from '../../src/cli/parse/part.ts'
import { parseSize } from '../../src/cli/parse/size.ts'
import { worstExitCode } from '../../src/cli/report-error.ts'

function shows<T>(format: (value: T) => string, cases: readonly (readonly [T, string])[]): void {
  for (const [value, text] of cases) assert.equal(format(value), text)
}

it('bytes have binary units and three digits', () => {
  shows(formatBytes, [
    [0, '0 B'],
    [1023, '1023 B'],
    [1024, '1 KiB'],
    [1536, '1.5 KiB'],
    [10_240, '10 KiB'],
    [1024 ** 2 - 1, '1 MiB'],
    [123_456_789, '118 MiB'],
    [5 * 1024 ** 4, '5 TiB'],
    [-2048, '-2 KiB'],
  ])
})

it('durations have their two largest units', () => {
  shows(formatDuration, [
    [0, '0 ms'],
    [340.4, '340 ms'],
    [999.9, '1.0 s'],
    [1234, '1.2 s'],
    [59_400, '59 s'],
    [59_900, '1 min'],
    [125_000, '2 min 5 s'],
    [3 * 3_600_000 + 4 * 60_000, '3 h 4 min'],
    [51 * 3_600_000, '2 d 3 h'],
  ])
})

it('a percentage says 100 only for the whole', () => {
  shows(formatPercent, [
    [0, '0 %'],
    [0.003, '0.3 %'],
    [0.42, '42 %'],
    [0.9996, '99.9 %'],
    [1, '100 %'],
  ])
})

it('durations are read with units, and in seconds without', () => {
  const cases = {
    '500ms': 500,
    '30s': 30_000,
    '10m': 600_000,
    '2h': 7_200_000,
    '7d': 604_800_000,
    '1h30m': 5_400_000,
    '1.5h': 5_400_000,
    '45': 45_000,
    '0': 0,
  }
  for (const [text, milliseconds] of Object.entries(cases)) assert.equal(parseDuration(text), milliseconds, text)
  for (const text of ['', 'soon', '-5s', '5 parsecs', 'h', '1e3']) assert.equal(parseDuration(text), undefined, text)
})

it('parts are read as percentage, fraction or number', () => {
  const cases = { '10%': 0.1, '2.5 %': 0.025, '100%': 1, '1/4': 0.25, '0.5': 0.5, '1': 1 }
  for (const [text, part] of Object.entries(cases)) assert.equal(parsePart(text), part, text)
  for (const text of ['', '0%', '101%', '3/2', '1/0', 'half', '-0.5', '7'])
    assert.equal(parsePart(text), undefined, text)
})

it('sizes are read in binary and decimal units', () => {
  const cases = {
    '4MiB': 2 ** 22,
    '4M': 2 ** 22,
    '1.5 GiB': 1.5 * 2 ** 30,
    '64MB': 64e6,
    '512k': 2 ** 19,
    '100': 100,
    '7B': 7,
  }
  for (const [text, bytes] of Object.entries(cases)) assert.equal(parseSize(text), bytes, text)
  for (const text of ['', 'big', '-1M', '4 MiBs', '1e3', 'MiB']) assert.equal(parseSize(text), undefined, text)
})

it('tables align, leave out empty columns, and end no line in spaces', () => {
  const table = formatTable(
    [{ title: 'NAME' }, { title: 'ROWS', align: 'right' }, { title: 'NOTE' }, { title: 'MARK' }],
    [
      ['users', '5', '', ''],
      ['orders_archive', '12', '', 'old'],
    ],
  )
  assert.equal(table, 'NAME            ROWS  MARK\nusers              5\norders_archive    12  old')
  assert.equal(
    formatFacts([
      ['id', '1'],
      ['a name', undefined],
      ['place', 'here'],
    ]),
    'id     1\nplace  here',
  )
  assert.equal(
    formatFacts([
      ['proof', 'one\ntwo'],
      ['replayed', '3'],
    ]),
    'proof     one\n          two\nreplayed  3',
  )
})

it('a sparkline rises with its values, and is never longer than asked', () => {
  assert.equal(sparkline([1, 4, 8]), '▂▅█')
  assert.equal(sparkline([0, 0]), '▁▁')
  assert.equal(
    sparkline(
      Array.from({ length: 1000 }, (_, i) => i),
      20,
    ).length,
    20,
  )
  assert.equal(sparkline([]), '')
})

it('words for the shell are quoted where they must be', () => {
  assert.equal(shellWord('data/app.db'), 'data/app.db')
  assert.equal(shellWord("it's $HOME"), "'it'\\''s $HOME'")
  assert.equal(shellWord(''), "''")
})

it('control characters in names cannot steer the terminal', () => {
  assert.equal(printable('a\u001b[2Jb\rc\n\u009b'), 'a\\x1b[2Jb\\x0dc\n\\x9b')
})

it('counts have plurals', () => {
  assert.deepEqual(
    [counted(1, 'table'), counted(0, 'table'), counted(12_000, 'row')],
    ['1 table', '0 tables', '12,000 rows'],
  )
})

it('of several failures the worst decides the exit status, and a warning only without them', () => {
  assert.equal(worstExitCode([0, 3, 4, 5, 0]), 5)
  assert.equal(worstExitCode([0, 3, 0]), 3)
  assert.equal(worstExitCode([3, 1]), 1)
  assert.equal(worstExitCode([0]), 0)
})
