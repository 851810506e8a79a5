/** The program of the journal's process: it writes the journal, so that the application neither waits for its disk nor loads SQLite. */
import { anchorAudit } from '../../agent/journal/audit/anchor-audit.ts'
import { Journal } from '../../agent/journal/journal.ts'
import { serve } from '../../engine/serve.ts'
import { openLinkedStorage } from '../../engine/storage-link.ts'
import { type JournalPlace, type JournalWarning, journalApi } from './journal-api.ts'

const journals = new Map<string, Journal>()
/** Whoever calls just now is told what keeps things from being recorded. */
const listeners = new Set<(warning: JournalWarning) => void>()

serve(journalApi, {
  begin: ({ place, begun, parameters }, { emit }) => told(emit, () => journalAt(place).recordBegin(begun, parameters)),
  end: ({ place, begun, end, parameters, endedAt }, { emit }) =>
    told(emit, () => journalAt(place).recordEnd(begun, end, parameters, endedAt)),
  seen: async ({ place, time }, { emit }) => {
    await told(emit, () => journalAt(place).recordSeen(time))
    return undefined
  },
  operations: ({ place, query }, { emit }) => told(emit, () => journalAt(place).operations(query)),
  rebuiltAt: ({ place, repository }, { emit }) => told(emit, () => journalAt(place).rebuiltAt(repository)),
  merge: ({ place, repository, found }, { emit }) => told(emit, () => journalAt(place).merge(repository, found)),
  audit: ({ place }, { emit }) =>
    told(emit, () => journalAt(place).audit((entries, head) => ({ head, entries: [...entries] }))),
  auditHash: ({ place, sequence }, { emit }) => told(emit, () => journalAt(place).auditHash(sequence)),
  anchor: async ({ place, state, storage: address, now }, { signal, host }) => {
    const journal = journalAt(place)
    const storage = await openLinkedStorage(address, host, signal)
    try {
      const log = { auditState: state, auditHash: (sequence: number) => journal.auditHash(sequence) }
      return await anchorAudit(log, storage, place.actor, now, { signal })
    } finally {
      await storage.close()
    }
  },
})

function journalAt({ path, actor, process }: JournalPlace): Journal {
  const known = journals.get(path)
  if (known !== undefined) return known
  const onWarning: ConstructorParameters<typeof Journal>[0]['onWarning'] = (message, _object, code) => {
    for (const tell of listeners) tell({ message, code })
  }
  const journal = new Journal({ path, actor, process, onWarning })
  journals.set(path, journal)
  return journal
}

async function told<T>(emit: (warning: JournalWarning) => void, work: () => Promise<T>): Promise<T> {
  listeners.add(emit)
  try {
    return await work()
  } finally {
    listeners.delete(emit)
  }
}
