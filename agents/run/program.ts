/**
 * The program around an agent: flags, the connection, the log, and the parts of a run:
 *
 *     search.ts     ask → evaluate over the socket, several at once, discarding the weak → log → tell → …
 *     finalists.ts  the best are evaluated again on fresh seeds
 *     report.ts     the start and the winner, with their test scores
 */
import { randomUUID } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Command } from 'commander';
import { printable } from '../../protocol/errors.ts';
import type { Specification } from '../../protocol/messages.ts';
import { actionSize, canonicalAction } from '../../protocol/parameters.ts';
import { deriveSeed, Random } from '../../protocol/random.ts';
import { writeWhole } from '../../protocol/whole-file.ts';
import type { Agent, Problem } from '../agent.ts';
import { connect, ConnectionError, ProtocolError, type Client, type RemoteEnvironment } from '../client/index.ts';
import { secretOf, typed, withoutSecrets } from './flags.ts';
import { bestOf, finalists } from './finalists.ts';
import { interruptible } from './interrupt.ts';
import { isWritableLog, LineLog } from './line-log.ts';
import { ProgressLines } from './progress-lines.ts';
import { checkReported, describeTheta, report, reportTable } from './report.ts';
import { loggedOptions, resumedOptions, withRunFlags, type RunOptions } from './run-options.ts';
import { newCommand, runProgram } from './run-program.ts';
import { runAll } from './runner.ts';
import { search } from './search.ts';
import { SESSION_GRACE_MS, SessionFile } from './session-file.ts';
import { runsOf, timeStamp } from './several-runs.ts';
import { startAction } from './start.ts';
import { evaluateTrial, type TrialRequest } from './trial.ts';
import {
  environmentOf,
  evaluationsByKey,
  readTrialLog,
  type EvaluationRecord,
  type LogRecord,
  type RunHeader,
  type WarmTrial,
} from './trial-log.ts';
import { ofSameSpec, loggedWarmStart, readWarmStart, warmStart } from './warm-start.ts';

/** The time that the server has to answer after a signal. */
const GOODBYE_MS = 2000;

type MakeAgent<Options> = (problem: Problem, options: Options) => Agent;

/**
 * Makes the program of an agent.
 *
 * @param make  builds the agent from the problem and its own options
 * @param flags adds the agent's own flags and description
 * @returns     the program; it sets the exit code: 0, 1 after an error, 130 after a signal
 */
export function program<Options>(
  name: string,
  make: MakeAgent<Options>,
  flags: (command: Command) => Command,
): (argv?: readonly string[]) => Promise<void> {
  return async (argv = process.argv) => {
    const parse = () => withRunFlags(flags(newCommand(name))).parse(argv);
    let isInterrupted = false;
    const work = async (signal: AbortSignal) => {
      signal.addEventListener('abort', () => (isInterrupted = true));
      for (const command of runsOf(name, parse)) await run(name, make, command, signal);
    };
    await runProgram(
      name,
      () => interruptible(work),
      () => (isInterrupted ? 130 : 1),
    );
  };
}

async function run<Options>(
  name: string,
  make: MakeAgent<Options>,
  command: Command,
  signal: AbortSignal,
): Promise<void> {
  const resumePath = command.getOptionValue('resume') as string | undefined;
  if (resumePath === undefined) return runFrom(name, make, command, signal);
  if (isFolder(resumePath)) {
    throw new Error(
      `--resume: expected a file, the log of one run, got the folder ${resumePath}; the same command as before, with --log ${typed(resumePath)}, goes on with several`,
    );
  }
  isWritableLog(resumePath);
  readTrialLog(resumePath);
  const log = new LineLog<LogRecord>(resumePath);
  try {
    // Read again, since another program may have written to it until it was locked.
    await runFrom(name, make, command, signal, { path: resumePath, log, ...readTrialLog(resumePath) });
  } finally {
    log.close();
  }
}

/** The log of a stopped run, locked. */
interface Past {
  readonly path: string;
  readonly log: LineLog<LogRecord>;
  readonly header: RunHeader;
  readonly records: readonly LogRecord[];
}

/** Whether a path names a folder, by its end where nothing is there yet. */
function isFolder(path: string): boolean {
  return /[\\/]$/.test(path) || statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

/** How a log begins. */
const BEGINNING = '{"type":"run"';

/** @throws {Error} when a log cannot begin there: only what a program left that was killed within its first line is overwritten */
function checkNewLog(path: string): void {
  if (isFolder(path)) {
    throw new Error(
      `--log: expected a file, since one run has one log, got the folder ${path}; with --search-seeds it is a folder, of a log for each run`,
    );
  }
  if (!isWritableLog(path)) return;
  const text = readFileSync(path, 'utf8');
  const isCut = text.startsWith(BEGINNING) || BEGINNING.startsWith(text);
  if (isCut && !text.includes('\n')) return;
  throw new Error(`--log: expected a new file, got ${path}, which exists; --resume ${typed(path)} goes on with it`);
}

async function runFrom<Options>(
  name: string,
  make: MakeAgent<Options>,
  command: Command,
  signal: AbortSignal,
  past?: Past,
): Promise<void> {
  const options = past ? resumedOptions(command, past, name) : command.opts<RunOptions>();
  if (!past && options.log !== undefined) checkNewLog(options.log);

  const { url } = options;
  const token = secretOf(options, 'token');
  const say = (sentence: string) => console.error(`${name}: ${printable(sentence)}`);
  const client = await connect(url, { name, say, ...(token !== undefined && { token }) });
  // A cancelled evaluation still ends with a result. If the server was stopped too, none comes, so the wait is limited.
  const leave = () => {
    say(`stopping; the server has ${GOODBYE_MS / 1000} s to end what runs, a second signal does not wait`);
    setTimeout(() => void client.close(), GOODBYE_MS).unref();
  };
  signal.addEventListener('abort', leave, { once: true });
  let session = past && new SessionFile(past.path, say);
  let keepSessions = false;
  try {
    const env_id = options.env ?? onlyEnvironment(client);
    const request = { env_id, options: options.envOptions, detach_grace_ms: SESSION_GRACE_MS };
    const environment = (await session?.takeUp(client)) ?? (await client.open(request));
    const { spec } = environment;
    if (past) checkSpecification(past.path, past.header, spec);
    // Before the log is created, so that a wrong --start leaves no log.
    const random = new Random(deriveSeed(options.seed, 'agent'));
    const start = startAction(options.start, spec, random);
    const canonical = (action: readonly number[]) => canonicalAction(spec.parameters, action);
    const agent = make({ size: start.length, start, random, canonical }, command.opts() as Options);
    const logged = past && loggedWarmStart(past.records);
    const warm = logged ?? (options.warmStart === undefined ? undefined : readWarmStart(options.warmStart, spec));
    const header = past?.header ?? newHeader(name, options, spec);
    const path = past?.path ?? options.log ?? `runs/${name}-${spec.env_id}-${timeStamp()}.jsonl`;
    const log = past?.log ?? new LineLog<LogRecord>(path, { fresh: true });
    try {
      if (!past) log.append(header);
      if (warm && !logged) log.append(warm);
      session ??= new SessionFile(path, say);
      session.keep(environment);
      environment.note('run', { agent: name, run_id: header.runId, options: { ...header.options, url: undefined } });
      console.log(`${name} ${withoutSecrets(options)}`);
      console.log(`${spec.env_id} at ${options.url}, ${actionSize(spec.parameters)} action components; log: ${path}`);
      if (warm) warmStart(agent, warm, spec);
      const parallel = options.parallel ?? client.limits.max_in_flight;
      const place = { environment, runId: header.runId, log, path, parallel, workers: client.limits.workers, signal };
      const before = warm ? ofSameSpec(warm.trials, spec) : [];
      await searchAndReport(agent, start, options, past?.records ?? [], before, place);
    } catch (error) {
      const goesOn = signal.aborted || isOfTheServer(error);
      if (goesOn) console.log(`stopped; go on with ${goOn(options, path)}`);
      // What the server has for the run, it keeps; a signal cancels it, and so does an error that would only come again.
      keepSessions = !signal.aborted && (goesOn || isOfTheDisk(error));
      // Of the client that was closed after the signal, nobody needs to hear.
      throw signal.aborted && error instanceof ConnectionError ? new Error('interrupted', { cause: error }) : error;
    } finally {
      if (!past) log.close();
    }
  } finally {
    if (await client.close({ keepSessions })) session?.remove();
  }
}

/** Whether the server was not there, or took nothing. */
const isOfTheServer = (error: unknown) =>
  error instanceof ConnectionError || (error instanceof ProtocolError && error.retryable);

/** Whether the log could not be written. */
function isOfTheDisk(error: unknown): boolean {
  return (error as Error).cause instanceof Error && 'errno' in ((error as Error).cause as Error);
}

/** The flags that continue a stopped run. */
function goOn({ searchSeeds, goOn }: RunOptions, path: string): string {
  if (goOn !== undefined) return goOn;
  return searchSeeds ? `the same command, and --log ${typed(dirname(path))}` : `--resume ${typed(path)}`;
}

function onlyEnvironment(client: Client): string {
  const ids = client.envs.map(({ env_id }) => env_id);
  if (ids.length !== 1) throw new Error(`--env: expected one of ${ids.join(', ')}, as the server has several`);
  return ids[0]!;
}

function newHeader(agent: string, options: RunOptions, spec: Specification): RunHeader {
  return {
    type: 'run',
    runId: randomUUID(),
    agent,
    options: loggedOptions({ ...options, env: spec.env_id }),
    environment: environmentOf(spec),
  };
}

/** @throws {Error} when the log was made in another environment */
function checkSpecification(path: string, { environment }: RunHeader, spec: Specification): void {
  const { id, specHash } = environment;
  if (specHash === spec.spec_hash) return;
  throw new Error(
    `${path}: expected ${id} with spec ${specHash}, got ${spec.env_id} with ${spec.spec_hash}: ` +
      'options, parameters, metrics or a version have changed, and rewards no longer compare',
  );
}

/** The environment and the log of a run. */
interface Place {
  readonly environment: RemoteEnvironment;
  readonly runId: string;
  readonly log: LineLog<LogRecord>;
  /** Of the log. */
  readonly path: string;
  readonly parallel: number;
  /** Of the server. */
  readonly workers: number;
  readonly signal: AbortSignal;
}

/** Where the θ that a run has found is written, beside its log: `npm run dataset -- --theta FILE` draws its images. */
const thetaFile = (log: string) => `${log.replace(/\.jsonl$/, '')}.theta.json`;

/** The number of evaluations, at most, in each batch that follows a search: the finalists', the start's, the winner's. */
function batchesAfter(
  agent: Agent,
  { finalists, finalistSeeds, reportSeeds }: RunOptions,
  known: ReadonlyMap<string, EvaluationRecord>,
): number[] {
  const candidates = finalists + (agent.recommend ? 1 : 0);
  // A run that goes on with a larger budget has its start's already.
  const startsKnown = [...known.keys()].filter((key) => key.startsWith('start/')).length;
  return [candidates * finalistSeeds, reportSeeds - startsKnown, reportSeeds];
}

/**
 * @param records the records of a stopped run's log; its evaluations are not made again, but those whose failure ended it
 * @param before  trials of others, which may be finalists
 */
async function searchAndReport(
  agent: Agent,
  start: readonly number[],
  options: RunOptions,
  records: readonly LogRecord[],
  before: readonly WarmTrial[],
  { environment, runId, log, path, parallel, workers, signal }: Place,
): Promise<void> {
  const { spec } = environment;
  const known = evaluationsByKey(records);
  const again = new Set<string>();
  const evaluate = (
    requests: readonly TrialRequest[],
    onLine?: (record: EvaluationRecord, past: boolean) => void,
  ): Promise<EvaluationRecord[]> => {
    // What ended the run before may be mended since: it is asked again.
    const failed = requests.filter(({ key }) => known.get(key)?.outcome === 'failed');
    if (failed.length === requests.length || requests.some(({ test }) => test)) {
      for (const { key } of failed) {
        known.delete(key);
        again.add(key);
      }
    }
    return runAll(requests, {
      log,
      known,
      atOnce: parallel,
      signal,
      evaluate: (request, stop) => evaluateTrial(environment, runId, request, stop, again.has(request.key)),
      leaves: (error) => isOfTheServer(error) || isOfTheDisk(error),
      differs: ({ action }, logged) =>
        JSON.stringify(logged.action) === JSON.stringify(action)
          ? undefined
          : 'expected the action that this agent asks for, got another; was it changed?',
      onLine,
    });
  };

  const progress = new ProgressLines(
    spec.reward.metric,
    options.evaluations,
    Math.min(parallel, workers),
    batchesAfter(agent, options, known),
  );
  const iterations = records.filter(({ type }) => type === 'iteration').length;
  const trials = await search(
    agent,
    options,
    (requests) => evaluate(requests, (record, past) => progress.show(record, past)),
    (iteration, state, told) => {
      if (iteration >= iterations) log.append({ type: 'iteration', iteration, state });
      const { mu: mean, sigma, deviations: spread = sigma } = state;
      environment.note(`iteration/${iteration}`, { evaluations: told, ...(mean !== undefined && { mean, spread }) });
    },
  );
  const learned = await bestOf(finalists([...before, ...trials], agent, options), options, evaluate);
  const reported = [
    await report({ name: 'start', key: 'start', action: start }, options, evaluate),
    await report({ name: 'learned', key: `after-${options.evaluations}/learned`, action: learned }, options, evaluate),
  ];
  const summary: LogRecord = { type: 'summary', reported };
  if (JSON.stringify(records.at(-1)) !== JSON.stringify(summary)) log.append(summary); // a run that had ended already
  console.log(`\n${describeTheta(spec.parameters, reported)}`);
  console.log(`\n${reportTable(spec, reported)}`);
  const file = thetaFile(path);
  writeWhole(file, `${JSON.stringify(reported[1]!.theta, undefined, 2)}\n`);
  console.log(`\nlearned θ: ${file}`);
  checkReported(reported, options);
}
