import { randomUUID } from 'node:crypto'
import { testBackupStorage } from '../../src/conformance/index.ts'
import { FaultStorage } from '../../src/storage/fault/fault-storage.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'
import { ObserveStorage } from '../../src/storage/observe/observe-storage.ts'
import { RetryStorage } from '../../src/storage/retry/retry-storage.ts'
import type { BackupStorage } from '../../src/storage/storage.ts'

const stacks: Readonly<Record<string, (memory: BackupStorage) => BackupStorage>> = {
  MemoryStorage: (memory) => memory,
  'RetryStorage over memory': (memory) => new RetryStorage(memory),
  'FaultStorage without faults over memory': (memory) => new FaultStorage(memory),
  'ObserveStorage over memory': (memory) => new ObserveStorage(memory, () => {}),
}

for (const [name, wrap] of Object.entries(stacks)) {
  const shelf = randomUUID()
  testBackupStorage({ name, open: async () => wrap(new MemoryStorage({ name: shelf })), keepsObjectsInMemory: true })
}
