import type { BackupManifest } from './manifest.ts'

/** The order in which backups go: none before those that build on it, since they would seem to be damaged without it. */
export function childrenFirst(backups: readonly BackupManifest[]): readonly BackupManifest[] {
  const byId = new Map(backups.map((backup) => [backup.id, backup]))
  const depths = new Map<string, number>()
  for (const backup of backups) {
    // A chain that leads back into itself, which no backup makes, ends where it does.
    const path = new Set<string>()
    let next: BackupManifest | undefined = backup
    while (next !== undefined && !depths.has(next.id) && !path.has(next.id)) {
      path.add(next.id)
      next = next.parent === null ? undefined : byId.get(next.parent)
    }
    let depth = next === undefined ? 0 : (depths.get(next.id) ?? 0)
    for (const id of [...path].reverse()) {
      depth += 1
      depths.set(id, depth)
    }
  }
  return backups.toSorted((a, b) => (depths.get(b.id) ?? 0) - (depths.get(a.id) ?? 0))
}
