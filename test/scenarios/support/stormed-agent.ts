import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { AlertFile } from '../../../src/agent/notify/delivery/alert-file.ts'
import { Repository } from '../../../src/repository/repository.ts'
import { openStorage } from '../../../src/storage/open-storage.ts'
import { AgentProgram, writeConfig } from '../../cli/support/agent.ts'
import { cliOk } from '../../cli/support/cli.ts'
import { historyOf } from '../../cli/support/journal.ts'
import { cliJson } from '../../cli/support/json-lines.ts'
import { createOracleDatabase } from '../../support/oracle.ts'
import type { Random } from '../../support/random.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { WriterProcess } from '../../support/writer-process.ts'
import type { AgentTally } from './agent-storm.ts'
import { FollowedHistory, leftovers } from './followed-history.ts'
import { LogWitness } from './log-witness.ts'
import { ReplayedTruth } from './replayed-truth.ts'

/** Everything that happens now and then happens every few seconds. */
const config = {
  databases: [
    {
      path: 'app.db',
      follow: { syncInterval: '100ms', handOff: { size: '256KiB', age: '2s' } },
      schedules: [
        { id: 'often', type: 'incremental', every: '2s' },
        { id: 'whole', type: 'full', every: '7s' },
        { id: 'check', type: 'verify', every: '3s' },
        { id: 'try', type: 'drill', every: '5s' },
        { id: 'old', type: 'expire', every: '3s' },
        { id: 'small', type: 'compact', every: '3s' },
      ],
      retention: { last: 2, window: '1d', grace: '3s' },
    },
  ],
}

/** Ended by a kill, these say so for longer than anybody can wait here. */
const remembered = ['agent', 'gap']

/** What a command writes when it is asked to end, log or no log. */
const lastWords = /^(Stopping and cleaning up|error: Interrupted by SIGTERM|hint: Nothing half-done)/

export class StormedAgent implements AsyncDisposable {
  readonly #folder = temporaryFolder()
  readonly #random: Random
  readonly #stack = new AsyncDisposableStack()
  readonly #witness = new LogWitness(this.#path)
  readonly #durable = new Map<number, number>()
  /** Processes that agents had when they ended. */
  /** As {@link identityOf} names them. */
  readonly #seen = new Set<string>()
  readonly #tally: AgentTally = {
    starts: 0,
    agentKills: 0,
    processKills: 0,
    stops: 0,
    operations: new Map(),
    durable: 0,
    replayed: 0,
    restores: 0,
    commits: 0,
    gaps: new Map(),
  }
  #agent: AgentProgram | undefined
  #writer: WriterProcess | undefined

  private constructor(random: Random) {
    this.#random = random
  }

  static async begin(random: Random): Promise<StormedAgent> {
    const storm = new StormedAgent(random)
    createOracleDatabase(storm.#path)
    await mkdir(storm.#at('tmp'))
    await cliOk(['init'], storm.#options)
    writeConfig(storm.#folder.path, config)
    storm.#writer = await WriterProcess.start({
      ...{ path: storm.#path, seed: random.below(2 ** 32), rows: 100, pauseMs: 15, stamp: true },
      // It stays connected, so that the log stays.
      ...{ maintenancePercent: 0, autoCheckpoint: random.pick([0, 1000]) },
    })
    return storm
  }

  #at(name: string): string {
    return this.#folder.file(name)
  }

  get #path(): string {
    return this.#at('app.db')
  }

  get #options() {
    return { cwd: this.#folder.path, env: { XDG_STATE_HOME: this.#at('xdg'), TMPDIR: this.#at('tmp') } }
  }

  async start(): Promise<void> {
    const cleanup = { after: (work: () => Promise<unknown>) => this.#stack.defer(async () => void (await work())) }
    this.#agent = new AgentProgram(cleanup, this.#folder.path, { TMPDIR: this.#at('tmp') })
    this.#tally.starts += 1
  }

  /** From a start to an end of whatever kind. */
  async life(): Promise<string> {
    const random = this.#random
    await this.start()
    // Half of all lives end while it starts, or soon after.
    await delay(random.below(random.chance(50) ? 1_500 : 5_000))
    for (let left = random.below(3); left > 0; left -= 1) {
      this.#killProcess()
      await delay(random.below(2_500))
    }
    if (this.#tally.agentKills === 0 || random.chance(80)) await this.#kill()
    else await this.#stop()
    assert.ok(this.#writer?.isRunning, 'the writer failed')
    return `${this.#tally.agentKills} agents and ${this.#tally.processKills} of their processes killed`
  }

  /** Waits until the agent follows, and has done everything once. */
  async settle(): Promise<void> {
    const agent = this.#running()
    await agent.line(/^Following app: /)
    for (const what of ['backup \\(full\\)', 'verify .*', 'drill', 'expire', 'compact'])
      await agent.line(new RegExp(`^${what} ?of app: done`))
  }

  /** Nothing is wrong any more, all is proved that it ever promised, and what it leaves behind is what it needs. */
  async endInOrder(): Promise<AgentTally> {
    const { last: status } = await cliJson('status', [], this.#options)
    const [followed] = status.databases
    assert.equal(followed?.following?.state, 'following')
    this.#durable.set(followed.following.durableLsn, this.#witness.look().seq)
    const newest = (await this.#writer?.stop()) ?? assert.fail('no writer')
    await this.#stop()
    await this.#judgeAlerts()
    await using repository = await Repository.open(await openStorage(this.#at('backups')))
    const history = new FollowedHistory(repository, this.#at('restored.db'), this.#random)
    for (const [lsn, atMost] of this.#durable) history.acknowledged.push({ lsn, atLeast: 0, atMost })
    await history.check()
    const truth = new ReplayedTruth(repository.database('app'), this.#at('replayed.db'), this.#random)
    const { states } = await truth.check(history.acknowledged)
    for (let restores = 0; restores < 5; restores += 1) await history.restoreSome()
    assert.equal((await history.restore({ by: 'latest' })).seq, newest, 'a stop in order takes every commit')
    await history.verify()
    await this.#judgeJournal()
    // A process that outlived its agent for a moment had its socket until after the next one looked.
    await this.start()
    await this.#running().line(/^Following app: /)
    await this.#stop()
    this.#judgeFiles()
    for (const seen of this.#seen) assert.ok(!isAlive(seen), `process ${seen} outlived its agent`)
    for (const [reason, count] of await history.gapsByReason()) this.#tally.gaps.set(reason, count)
    return Object.assign(this.#tally, {
      durable: this.#durable.size,
      replayed: states,
      restores: history.restores,
      commits: newest,
    })
  }

  #running(): AgentProgram {
    return this.#agent ?? assert.fail('no agent was started')
  }

  /** A worker, or what checks, drills or examines just now. */
  #killProcess(): void {
    const children = childrenOf(this.#running().pid)
    const pid = children[this.#random.below(children.length)]
    if (pid === undefined) return
    process.kill(pid, 'SIGKILL')
    this.#tally.processKills += 1
  }

  async #kill(): Promise<void> {
    const agent = this.#running()
    this.#noteChildren(agent)
    await agent.kill()
    this.#tally.agentKills += 1
    this.#judgeLog(agent)
  }

  async #stop(): Promise<void> {
    const agent = this.#running()
    this.#noteChildren(agent)
    const code = await agent.stop()
    this.#tally.stops += 1
    this.#judgeLog(agent)
    // Asked to end before it ran, or before Node.js had begun at all.
    const isCalledOff =
      (code === null && agent.lines.length === 0) ||
      agent.lines.some(({ message }) => message.startsWith('error: Interrupted by SIGTERM.'))
    assert.ok(code === 0 || code === 3 || isCalledOff, `it ended with ${code}: ${agent.lines.at(-1)?.message}`)
  }

  #noteChildren({ pid }: AgentProgram): void {
    for (const child of childrenOf(pid)) {
      const identity = identityOf(child)
      if (identity !== undefined) this.#seen.add(identity)
    }
  }

  #judgeLog({ lines }: AgentProgram): void {
    const { seq } = this.#witness.look()
    for (const { level, message, lsn } of lines) {
      if (/^Uploaded commits of app/.test(message)) this.#durable.set(Number(lsn), seq)
      assert.ok(!/INTERNAL|TypeError|RangeError|undefined|\[object /.test(message), message)
      const isOfLog = level !== 'none' || message === '' || lastWords.test(message)
      assert.ok(isOfLog, `not a line of the log: ${message}`)
    }
  }

  async #judgeJournal(): Promise<void> {
    const operations = await historyOf(this.#options)
    for (const [outcome, all] of Map.groupBy(operations, (operation) => operation.outcome))
      this.#tally.operations.set(outcome, all.length)
    const unended = operations.filter(({ outcome }) => outcome === 'running')
    assert.deepEqual(unended, [], 'an operation of a process that is gone is not under way')
    await cliOk(['audit', 'verify'], this.#options)
  }

  /** What came and went all the time is called over only after a long while, but it is known to be over. */
  async #judgeAlerts(): Promise<void> {
    const { alerts, problem } = await new AlertFile(this.#at('state/agent')).read()
    assert.equal(problem, undefined)
    const firing = Object.entries(alerts).filter(
      ([key, { phase }]) => phase === 'firing' && !remembered.some((kind) => key.startsWith(kind)),
    )
    assert.deepEqual(firing, [])
  }

  #judgeFiles(): void {
    assert.deepEqual(leftovers(this.#folder.path), [])
    assert.deepEqual(readdirSync(this.#at('tmp')), [])
    assert.deepEqual(readdirSync(this.#at('xdg/holdfast/run')), [])
    const temporary = readdirSync(this.#folder.path, { recursive: true, encoding: 'utf8' }).filter((name) =>
      /\.tmp|scratch|running\.json$|agent\.json$/.test(name),
    )
    assert.deepEqual(temporary, [])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync()
    await this.#writer?.kill()
    this.#folder[Symbol.dispose]()
  }
}

/** Of a process, as far as the system tells. */
function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => pid > 0 && parentOf(pid) === parent)
}

function parentOf(pid: number): number | undefined {
  try {
    return Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
  } catch {
    // It has ended meanwhile.
    return undefined
  }
}

/** Numbers of processes come again, in a storm of an hour: so its number and its start. Undefined when it has ended, also where its parent has not taken note of that. */
function identityOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // From field 3 on; the name before it may hold anything.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? undefined : `${pid} since ${fields[19]}`
  } catch {
    return undefined
  }
}

function isAlive(identity: string): boolean {
  return identityOf(Number.parseInt(identity, 10)) === identity
}
