/** An application whose backup gets stuck midway, in a storage of the application's own. */
import {
  BackupManager,
  LocalStorage,
  type ObjectInfo,
  type PutBody,
  type PutOptions,
  sqlite,
} from '../../../src/index.ts'

const [path = '', folder = '', journal] = process.argv.slice(2)

class StuckStorage extends LocalStorage {
  #engine = 0

  override async put(key: string, body: PutBody, options?: PutOptions): Promise<ObjectInfo> {
    if (key.endsWith('lease.json') && body instanceof Uint8Array) {
      this.#engine = Number(/"pid":\s*(\d+)/.exec(Buffer.from(body).toString())?.[1])
    }
    return await super.put(key, key.includes('/segments/') ? this.#stuck(body) : body, options)
  }

  async *#stuck(body: PutBody): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of body instanceof Uint8Array ? [body] : body) {
      yield chunk
      process.send?.(this.#engine)
      await new Promise(() => {})
    }
  }
}

process.on('message', () => process.exit(1))
await using backups = await BackupManager.open({
  source: sqlite(path),
  repository: new StuckStorage(folder),
  init: true,
  journal,
})
await backups.createFullBackup()
