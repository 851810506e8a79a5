import { z } from 'zod'

/** `holdfast.json`: makes a place a repository. Written last by `init`, so a place without it is not one. */
export const repositoryMarker = z.strictObject({
  /** Version of the repository's layout; a newer one is refused. */
  formatVersion: z.int().min(1),
  id: z.uuid(),
  createdAt: z.iso.datetime({ precision: 3 }),
  /** Features that a reader must know; an unknown one is refused. */
  features: z.array(z.string()),
  /** What the storage was found able to do at `init`. */
  capabilities: z.strictObject({
    conditionalCreate: z.boolean(),
    conditionalReplace: z.boolean(),
    consistentList: z.boolean(),
  }),
})
export type RepositoryMarker = z.infer<typeof repositoryMarker>

export const layoutVersion = 1
export const knownFeatures: readonly string[] = []

/** `database.json`: what a database in the repository is. */
export const databaseRecord = z.strictObject({
  name: z.string(),
  kind: z.literal('sqlite'),
  /** Absolute path where it was first backed up from. */
  location: z.string(),
  createdAt: z.iso.datetime({ precision: 3 }),
})
export type DatabaseRecord = z.infer<typeof databaseRecord>
