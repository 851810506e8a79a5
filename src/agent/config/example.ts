/** A complete configuration, with comments: `holdfast config example`. It works as it is once there is a database; what only its user can know is commented out. */
export const exampleConfig: string = `# yaml-language-server: $schema=./node_modules/holdfast/docs/holdfast.schema.json
# Configuration of "holdfast run". Relative paths start from the folder of this file. Check it with "holdfast config check".
# In any value, \${NAME} is replaced by the environment variable of that name, and \${NAME:-text} by the text where it is not set.
#
# Before it is used, look at what is marked with CHANGE: the repository, the databases, and who is told. What is commented out
# is a choice, the default, or a placeholder.

repository: ./backups                    # CHANGE: a path or URL, best on another disk, such as /srv/backups
# stateFolder: /var/lib/holdfast         # what must be remembered on this machine; default: a folder of the user
# timeZone: Europe/Berlin                # of schedules and retention; default UTC

# What holds for every database that does not say otherwise. Mappings are merged key by key; lists replace one another.
defaults:
  follow:                                # every commit becomes a restore point; "false" leaves it at scheduled backups
    syncInterval: 1s                     # uploads are at most so far behind
    spoolLimit: 1GiB                     # so much may wait while the repository is away
    # handOff: { size: 4MiB, age: 1m }   # when the database's log is handed back to it
    # auditInterval: 24h                 # compare the whole database with what was taken; or "never"
    # deltaInterval: 1m                  # one state so often of a database that is not in WAL mode
    # enableWal: true                    # or switch it to WAL mode, for good
  schedules:
    - { type: full, every: monthly, at: "1 03:00" }
    - { type: incremental, every: daily, at: "03:00", jitter: 10m }
    # - { type: incremental, cron: "0 */6 * * *" }
    # - { type: incremental, afterCommits: 10000 }
    # - { type: incremental, afterBytes: 100MB }
    # - { type: snapshot, quiet: 10m }   # when nothing was written for a while
  retention:                             # without it, nothing is ever removed
    last: 3
    daily: 7
    weekly: 4
    monthly: 12
    yearly: 7
    maxBackups: 100
    window: 7d                           # every single commit of so long
    # within: 30d                        # every backup of so long
    # grace: 24h                         # from the decision to the removal
  # expire: { every: daily, at: "04:00" }
  # compact: { every: daily, at: "04:30" }
  verify: { every: weekly, at: "sunday 05:00", level: data, maxDuration: 1h }
  # compression: { codec: zstd, level: 1 }
  # validation: quick                    # none, quick or integrity: SQLite's own check before each backup

databases:
  - path: data/app.db                    # CHANGE
    name: app                            # in the repository; default: the file's name
    tags: { team: web }
    drill:                               # a restore is tried, and what was restored is looked at
      every: weekly
      state: random                      # or latest
      # expectTables: { users: 1, orders: 0 }                 # CHANGE: tables of yours, with the least number of rows
      # assertions: ["SELECT count(*) > 0 FROM users"]        # CHANGE: queries that must be true
      # command: ./check-restored.sh     # its first argument is the restored file
      maxRecoveryTime: 15m
    overdueAfter: 26h
    lagLimit: 5m

  # - glob: tenants/**/*.db              # CHANGE: databases that come and go are noticed
  #   exclude: ["tenants/**/tmp-*.db"]
  #   follow: { syncInterval: 5s }       # the other keys are those of "defaults"
  #   drill: false

# Copies of the whole repository in other places, brought up to date every hour, or as they say.
# mirrors:
#   - /mnt/nas/holdfast
#   - { to: /mnt/usb/holdfast, every: daily, at: "05:30", grace: 30d }

# Programs that run before and after operations of every database; a database may have "hooks" of its own besides.
hooks:
  - before: backup
    command: test ! -e /run/maintenance || exit 75   # 75: not now; anything else but 0: the backup fails
    timeout: 10s
  - after: [backup, drill]
    when: failure
    command: [logger, -t, holdfast, a backup or drill has failed]

# Who is told, and of what: failure, overdue, missing, lag, gap, verify, drill, spool, disk, expiring, agent, recovery; default: everything.
notify:
  - command: (cat; echo) >> holdfast-alerts.log  # CHANGE: nobody reads a file; use one or more of these
  # - webhook:
  #     url: https://hooks.example.com/holdfast
  #     secretFile: /run/secrets/webhook # signs every message
  #   on: [failure, overdue, gap, verify, drill, recovery]
  # - email:
  #     host: smtp.example.com
  #     user: holdfast
  #     passwordFile: /run/secrets/smtp
  #     from: holdfast@example.com
  #     to: [ops@example.com]
  #   severity: critical
  #   rateLimit: { messages: 10, per: 10m }
  # - heartbeat: https://hc.example.com/0b9e4c1e # told of each scheduled operation; it raises the alarm when it hears nothing
  # - heartbeat: { url: https://hc.example.com/7c1d, every: 5m }   # or: told so often that the agent lives and all is well
repeatAlerts: 24h

server: { listen: 127.0.0.1:7420 }       # metrics and health; default: nothing listens
log: { level: info, format: text }       # format json: one object a line
concurrency: { operations: 2 }           # backups, verifications, drills at once
stopTimeout: 30s
`
