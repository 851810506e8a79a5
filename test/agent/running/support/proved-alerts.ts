/** What a running agent tells of, by what makes it: each is shown by a test of a whole agent to fire and to clear. */
export const provedAlerts = {
  'a backup fails': { key: 'failure/backup', from: 'observeOperation' },
  'following fails': { key: 'failure/follow', from: 'observeOperation' },
  'a verification fails': { key: 'failure/verify', from: 'observeOperation' },
  'expiry fails': { key: 'failure/expire', from: 'observeOperation' },
  'compaction fails': { key: 'failure/compact', from: 'observeOperation' },
  'mirroring fails': { key: 'failure/mirror', from: 'observeOperation' },
  'a drill fails': { key: 'drill', from: 'observeOperation' },
  'a drill is inconclusive': { key: 'drill', from: 'observeOperation' },
  'a drill by hand fails': { key: 'drill', from: 'observeDrills' },
  'a followed database cannot be read': { key: 'failure/follow', from: 'observeTrouble' },
  'the configuration is broken': { key: 'failure/config', from: 'config-in-force.ts' },
  'a backup is overdue': { key: 'overdue', from: 'observeFreshness' },
  'a mirror is overdue': { key: 'overdue/mirror', from: 'observeMirror' },
  'the work of another agent is overdue': { key: 'overdue', from: 'expectations/other-agents.ts' },
  'databases are missing': { key: 'missing', from: 'observeMissing' },
  'commits wait': { key: 'lag', from: 'observeLag' },
  'commits were missed': { key: 'gap', from: 'observeGap' },
  'the spool is full': { key: 'spool', from: 'observeSpool' },
  'the repository is damaged': { key: 'verify', from: 'observeDamage' },
  'a disk is full': { key: 'disk', from: 'observeDisk' },
  'a certificate ends': { key: 'expiring', from: 'observeExpiring' },
  'the agent was killed': { key: 'agent/killed', from: 'observeUncleanStop' },
  'a worker is silent': { key: 'agent/silent', from: 'observeSilentWorkers' },
  'a worker was replaced': { key: 'agent/replaced', from: 'observeEndedWorker' },
} as const

export type ProvedAlert = keyof typeof provedAlerts
