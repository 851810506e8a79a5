/** The layers of src/. CONTRIBUTING.md says the same in words. */

const basics = ['errors', 'util']
const stores = [...basics, 'history', 'segment', 'storage', 'repository', 'source', 'engine', 'control']
const work = [...stores, 'backup', 'capture', 'restore', 'verify', 'maintenance']

/** What each part of src/, a folder or a file directly in it, may import besides itself; from low to high. */
export const mayImport: Record<string, readonly string[]> = {
  errors: [],
  util: ['errors'],
  history: [],
  storage: basics,
  segment: [...basics, 'history'],
  repository: [...basics, 'history', 'segment', 'storage'],
  source: [...basics, 'history'],
  engine: [...basics, 'storage'],
  control: [...basics, 'engine'],
  backup: stores,
  capture: [...stores, 'backup', 'maintenance'],
  restore: stores,
  verify: [...stores, 'restore'],
  maintenance: [...stores, 'backup'],
  agent: work,
  server: [...work, 'agent'],
  cli: [...work, 'agent', 'server'],
  conformance: [...basics, 'storage', 'source'],
  library: [...work, 'agent'],
  index: [...work, 'library', 'agent'],
}
