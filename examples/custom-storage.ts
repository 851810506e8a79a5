// Keeps backups in a storage of one's own: any place that holds bytes under keys. Here it only counts what passes through.
import { DatabaseSync } from 'node:sqlite'
import {
  BackupManager,
  LocalStorage,
  type ObjectInfo,
  type PutBody,
  type PutOptions,
  sqlite,
  verifyBackups,
} from 'holdfast'

class CountingStorage extends LocalStorage {
  puts = 0

  override async put(key: string, body: PutBody, options?: PutOptions): Promise<ObjectInfo> {
    this.puts++
    return await super.put(key, body, options)
  }
}

using app = new DatabaseSync('app.db')
app.exec('CREATE TABLE IF NOT EXISTS users (name TEXT)')

const storage = new CountingStorage('./backups')
await using backups = await BackupManager.open({ source: sqlite('app.db'), repository: storage, init: true })
await backups.createFullBackup()
console.log(`${storage.puts} objects written to ${storage.url}`)

const { ok, checked } = await verifyBackups({ repository: storage, level: 'restore' })
console.log(ok ? `sound: ${checked.restores} backup restored as a test` : 'damaged')
