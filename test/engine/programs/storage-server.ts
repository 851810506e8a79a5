import { Peer } from '../../../src/engine/peer.ts'
import { parentPort } from '../../../src/engine/port.ts'
import { serveStorage } from '../../../src/engine/serve-storage.ts'
import { LocalStorage } from '../../../src/storage/local.ts'
import { MemoryStorage } from '../../../src/storage/memory.ts'

const port = parentPort()
if (port === undefined) throw new Error('This program is forked by a test.')
const folder = process.argv[2]
new Peer(port, serveStorage(folder === undefined ? new MemoryStorage() : new LocalStorage(folder)))
port.onClose(() => process.exit(0))
