import { statfs } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { formatBytes } from '../format/bytes.ts'
import { type Check, failure, ok, warning } from './check.ts'

/** Restores are proved in the target's folder, but trial restores need room here. */
const littleSpace = 1024 ** 3

export async function checkEnvironment(): Promise<readonly Check[]> {
  const { requireEngineVersion } = await import('../../source/sqlite/engine-version.ts')
  const version = process.versions['sqlite'] ?? 'unknown'
  requireEngineVersion(version)
  return [
    ok(
      'Node.js',
      `${process.version} on ${process.platform} ${process.arch}${process.platform === 'linux' ? '' : '; Holdfast was tried on Linux only'}`,
    ),
    ok('SQLite', `${version}, built into Node.js; as new as it must be`),
    checkZstd(),
  ]
}

function checkZstd(): Check {
  const sample = Buffer.alloc(10_000, 'holdfast')
  const works = zstdDecompressSync(zstdCompressSync(sample)).equals(sample)
  return works
    ? ok('zstd', 'works')
    : failure(
        'zstd',
        'does not give back what it compressed',
        'Reinstall Node.js, and check the memory of this machine.',
      )
}

export async function checkTemporarySpace(): Promise<readonly Check[]> {
  return [await checkSpace('temporary folder', tmpdir())]
}

export async function checkSpace(name: string, folder: string, needed = littleSpace): Promise<Check> {
  const { bavail, bsize } = await statfs(folder)
  const free = bavail * bsize
  const text = `${formatBytes(free)} free in ${folder}`
  return free < needed ? warning(name, `only ${text}`, `At least ${formatBytes(needed)} is advisable.`) : ok(name, text)
}
