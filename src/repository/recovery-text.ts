/** The text that lies beside the data, for somebody who has the data and nothing else. */
export function recoveryText(formatVersion: number): string {
  return `# How to get databases back from this folder

This is a Holdfast repository: backups of SQLite databases, in format version ${formatVersion}.

## With Holdfast

Install Holdfast (it needs Node.js 24 or newer; its README says how), and in this folder:

    holdfast list --repository .
    holdfast restore NAME --latest --to /tmp/restored.db --repository .

Restore to a place outside this folder, which is for backups alone.

## Without Holdfast

Everything is in documented formats: see FORMAT.md beside this file (docs/format.md in the Holdfast package and source
repository). In short:

- \`databases/NAME/backups/*.json\`: one manifest a backup. The first line is a header; all after it is JSON, and
  \`tail -n +2 FILE | sha256sum\` gives the header's sha256. \`lsn\` is the state that the backup holds, \`segment\` the object it
  added, \`parent\` the backup it builds on, \`checksum\` the checksum of the whole state.
- \`databases/NAME/segments/FROM-TO-FIRSTTIME-LASTTIME-EPOCH-KIND.hfs\`, numbers in hexadecimal: what changed between the states
  FROM and TO. A \`base\` starts at 0 and holds every page of the database; a \`delta\` holds the pages that changed since FROM; a
  \`log\` holds every commit between the two, one after the other. Where files of several epochs overlap, the higher epoch counts
  (chapter 2.6 of FORMAT.md).

FIRSTTIME and LASTTIME are milliseconds since 1970-01-01 UTC; LASTTIME is when the state TO was taken. The newest state is the
highest of every \`lsn\` in the manifests, every TO of a \`log\`, and every TO in the names \`databases/NAME/gaps/FROM-TO.json\`. Chapter
2.6 of FORMAT.md says which state a time means.

To restore the state N: find a base (0, A], then deltas or logs (A, B], (B, C] … up to N. A log can be left before its end, at N
or where the next file begins: its commit table says how many of its records count then. Write the pages of the base at
(page number - 1) * page size, then those of each delta or log over them: a record is either the whole page (FULL), or a PATCH, which
makes the page from the one that is there: it XORs bytes onto it, and may first move some within it. Then cut the file to the page
count that the last file names, or its commit table if it is left before its end. The page that holds byte 2^30 (number
2^30 / page size + 1), if the file reaches so far, is never stored: it is all zeros.

A segment is a 128-byte header, blocks, a root and a 48-byte trailer; all numbers are little-endian:

1. The trailer, the last 48 bytes: u64 offset of the root, u32 its stored length, u32 its raw length, u8 its codec
   (0 none, 1 gzip, 2 zstd), u8 its cipher (0 none), 6 bytes 0, u64 length of the file, u64 checksum, 8 bytes "HFSEND\\r\\n".
2. The root, decompressed, names every block: its type, codec, stored and raw length, in the order in which they stand from
   byte 128 on.
3. Each block of type 0, decompressed, is a directory of page numbers, then the pages and patches. zstd and gzip are the ordinary ones:
   \`zstd -d\` and \`gzip -d\` read a block that was cut out of the file.

The layout of directory, root and patches is in FORMAT.md, chapter 1; with it a reader is about 150 lines in any language.
`
}
