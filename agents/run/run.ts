/**
 * The only loop: every agent's program is this, around its `ask` and `tell`.
 *
 *     ask → evaluate over the socket, several at once, discarding the weak → log → tell → …
 *     then: re-evaluate the finalists on fresh seeds, report start and winner with their test scores
 */
import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { Command, Option } from 'commander';
import { actionSize, completeTheta, defaultTheta, thetaToAction, type Theta } from '../../protocol/parameters.ts';
import { deriveSeed, Random } from '../../protocol/random.ts';
import type { Agent, Problem, Trial } from '../agent.ts';
import { connect, ConnectionError, ProtocolError, type RemoteEnvironment } from '../client/index.ts';
import { Watch } from './discard.ts';
import { choice, filePath, integer, jsonObject, seed } from './flags.ts';
import { describeTheta, Progress, reportTable, type Reported } from './report.ts';
import { readTrialLog, TrialLog, type EvaluationRecord, type RunHeader } from './trial-log.ts';

/** What every agent's program accepts beside its own flags. */
interface RunOptions {
  readonly url: string;
  readonly token?: string;
  readonly env?: string;
  readonly envOptions: Record<string, unknown>;
  readonly evaluations: number;
  readonly seed: number;
  readonly start: string;
  readonly seeds: 'fresh' | 'fixed-initialisation' | 'common';
  readonly discard: 'none' | 'median';
  readonly parallel?: number;
  readonly finalists: number;
  readonly finalistSeeds: number;
  readonly reportSeeds: number;
  readonly log?: string;
  readonly resume?: string;
}

/** So long after a signal the server may still answer. */
const GOODBYE_MS = 2000;
/** A signal that comes so long after the first one ends the program at once. */
const IMPATIENCE_MS = 1000;

/** Options that decide no result: they are not logged. */
const UNLOGGED = ['token', 'parallel', 'log', 'resume'];
/** Options that a resumed run may change. */
const CHANGEABLE = ['url', 'evaluations'];

function commonFlags(command: Command): Command {
  return command
    .option('--url <url>', 'the environment server', 'ws://127.0.0.1:7077')
    .addOption(new Option('--token <token>', "the server's bearer token").env('LTS_TOKEN'))
    .option('--env <id>', 'environment id (default: the only one that the server has)')
    .option('--env-options <json>', 'options of the environment, {…} or a file', jsonObject, {})
    .option(
      '--evaluations <n>',
      'evaluations that the search may spend; a discarded one counts by the share of its training that was done',
      integer(1),
      64,
    )
    .option('--seed <n>', 'decides everything random in the run', seed, 1)
    .option(
      '--start <where>',
      'θ to start from: start (as the environment says), default, centre, random, or {…}/a file',
      'start',
    )
    .option(
      '--seeds <rule>',
      'fresh: new seeds for each evaluation; fixed-initialisation: the same first weights for all; ' +
        'common: all seeds shared in an iteration, new in the next',
      choice('fresh', 'fixed-initialisation', 'common'),
      'fixed-initialisation',
    )
    .option(
      '--discard <rule>',
      'median: cancel an evaluation that scores below the median of the latest ones at the same point of its training; none',
      choice('none', 'median'),
      'none',
    )
    .option('--parallel <n>', 'evaluations under way at once (default: as many as the server takes)', integer(1))
    .option(
      '--finalists <n>',
      'how many of the best are evaluated again on fresh seeds, beside the θ that the agent believes in',
      integer(1),
      3,
    )
    .option('--finalist-seeds <n>', 'on how many seeds each', integer(1), 2)
    .option(
      '--report-seeds <n>',
      'on how many seeds the start and the winner are reported, with the test set',
      integer(1),
      3,
    )
    .option('--log <file>', 'where to write the log of trials (default: runs/<agent>-<env>-<time>.jsonl)', filePath)
    .option('--resume <file>', 'go on with a stopped run from its log');
}

/**
 * An agent's program.
 *
 * @param make  builds the agent from the problem and its own options
 * @param flags adds the agent's own flags and description
 */
export function program<Options>(
  name: string,
  make: (problem: Problem, options: Options) => Agent,
  flags: (command: Command) => Command,
): (argv?: readonly string[]) => Promise<void> {
  return async (argv = process.argv) => {
    const command = commonFlags(flags(new Command(name)).showHelpAfterError('(--help lists the flags)'));
    command.parse(argv);
    const stop = new AbortController();
    setMaxListeners(0, stop.signal); // every evaluation under way listens
    let stoppedAt = 0;
    // One Ctrl-C may arrive several times, from the terminal and from the programs that started this one.
    const onSignal = () => {
      if (stop.signal.aborted && performance.now() - stoppedAt > IMPATIENCE_MS) process.exit(130);
      if (!stop.signal.aborted) stoppedAt = performance.now();
      stop.abort();
    };
    process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
    try {
      await run(name, make, command, stop.signal);
    } catch (error) {
      console.error(`${name}: ${(error as Error).message}`);
      process.exitCode = stop.signal.aborted ? 130 : 1;
    } finally {
      process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
    }
  };
}

/** The options of a resumed run: those of its log; a flag that says otherwise is an error. */
function resumedOptions(command: Command, header: RunHeader, name: string): RunOptions {
  const path = command.getOptionValue('resume') as string;
  if (header.agent !== name) throw new Error(`${path}: expected a log of ${name}, got one of ${header.agent}`);
  for (const [key, logged] of Object.entries(header.options)) {
    if (command.getOptionValueSource(key) === 'cli') {
      const given = command.getOptionValue(key) as unknown;
      if (CHANGEABLE.includes(key) || JSON.stringify(given) === JSON.stringify(logged)) continue;
      throw new Error(`option ${key}: expected ${JSON.stringify(logged)} as in ${path}, got ${JSON.stringify(given)}`);
    }
    command.setOptionValueWithSource(key, logged, 'config');
  }
  return command.opts();
}

/** The action where the search starts. */
function startAction(where: string, environment: RemoteEnvironment, random: Random): number[] {
  const { parameters, start } = environment.spec;
  const size = actionSize(parameters);
  const named: Record<string, () => number[]> = {
    start: () => thetaToAction(parameters, start),
    default: () => thetaToAction(parameters, defaultTheta(parameters)),
    centre: () => Array.from({ length: size }, () => 0),
    random: () => Array.from({ length: size }, () => random.uniform(-1, 1)),
  };
  if (named[where]) return named[where]();
  try {
    return thetaToAction(parameters, completeTheta(parameters, jsonObject(where) as Theta));
  } catch (error) {
    const known = `${Object.keys(named).join(', ')}, or θ as {…} or a file`;
    throw new Error(`--start: expected ${known}: ${(error as Error).message}`, { cause: error });
  }
}

async function run<Options>(
  name: string,
  make: (problem: Problem, options: Options) => Agent,
  command: Command,
  signal: AbortSignal,
): Promise<void> {
  const resumePath = command.getOptionValue('resume') as string | undefined;
  const past = resumePath === undefined ? undefined : readTrialLog(resumePath);
  const options = past ? resumedOptions(command, past.header, name) : command.opts<RunOptions>();
  console.log(`${name} ${JSON.stringify({ ...options, ...(options.token !== undefined && { token: '…' }) })}`);

  const client = await connect(options.url, { name, ...(options.token !== undefined && { token: options.token }) });
  // What was cancelled ends with a result, unless the server has been stopped as well: then nobody waits for it.
  const leave = () => void setTimeout(() => void client.close(), GOODBYE_MS).unref();
  signal.addEventListener('abort', leave, { once: true });
  try {
    const environment = await client.open({
      env_id: options.env ?? onlyEnvironment(client),
      options: options.envOptions,
    });
    const { spec } = environment;
    const header: RunHeader = past?.header ?? {
      type: 'run',
      runId: randomUUID(),
      agent: name,
      options: Object.fromEntries(
        Object.entries({ ...options, env: spec.env_id }).filter(([key]) => !UNLOGGED.includes(key)),
      ),
      environment: { id: spec.env_id, specHash: spec.spec_hash, options: spec.options },
    };
    if (past && past.header.environment.specHash !== spec.spec_hash) {
      const { id, specHash } = past.header.environment;
      throw new Error(
        `${resumePath}: expected ${id} with spec ${specHash}, got ${spec.env_id} with ${spec.spec_hash}: ` +
          'options, parameters, metrics or a version have changed, and rewards no longer compare',
      );
    }
    // Before the log: a start that makes no sense leaves none.
    const random = new Random(deriveSeed(options.seed, 'agent'));
    const start = startAction(options.start, environment, random);
    const agent = make({ size: start.length, start, random }, command.opts() as Options);
    const time = new Date().toISOString().replace(/[-:]|\..*/g, '');
    const log = new TrialLog(resumePath ?? options.log ?? `runs/${name}-${spec.env_id}-${time}.jsonl`, {
      resume: !!past,
    });
    if (!past) log.append(header);
    console.log(`${spec.env_id} at ${options.url}, ${actionSize(spec.parameters)} action components; log: ${log.path}`);

    const known = new Map<string, EvaluationRecord>();
    let told = 0;
    for (const record of past?.records ?? []) {
      if (record.type === 'evaluation') known.set(record.key, record);
      if (record.type === 'iteration') told = record.iteration + 1;
    }
    const session: Session = {
      environment,
      log,
      known,
      told,
      runId: header.runId,
      parallel: options.parallel ?? client.limits.max_in_flight,
      signal,
      progress: new Progress(spec.reward.metric, options.evaluations),
    };
    try {
      await search(session, options, agent, start);
    } catch (error) {
      const goesOn =
        signal.aborted || error instanceof ConnectionError || (error instanceof ProtocolError && error.retryable);
      if (goesOn) console.log(`stopped; go on with --resume ${log.path}`);
      throw error;
    } finally {
      log.close();
    }
  } finally {
    await client.close();
  }
}

function onlyEnvironment(client: Awaited<ReturnType<typeof connect>>): string {
  const ids = client.envs.map(({ env_id }) => env_id);
  if (ids.length !== 1) throw new Error(`--env: expected one of ${ids.join(', ')}, as the server has several`);
  return ids[0]!;
}

/** What evaluating needs, for the length of a run. */
interface Session {
  readonly environment: RemoteEnvironment;
  readonly log: TrialLog;
  /** Evaluations of an earlier, stopped part of this run. */
  readonly known: ReadonlyMap<string, EvaluationRecord>;
  /** How many iterations of it are in the log. */
  readonly told: number;
  readonly runId: string;
  readonly parallel: number;
  readonly signal: AbortSignal;
  readonly progress: Progress;
}

interface Request {
  readonly key: string;
  readonly action: readonly number[];
  readonly seed: number;
  readonly initialisation?: number;
  readonly test?: boolean;
  /** Of earlier iterations: discards this one when it is weak beside them. */
  readonly past?: readonly EvaluationRecord[] | undefined;
}

/** One evaluation: from the log where it stands there, over the socket otherwise. */
async function evaluate(session: Session, request: Request): Promise<EvaluationRecord> {
  const { environment, log, known, runId, signal } = session;
  const { key, action, seed, initialisation, test, past } = request;
  const logged = known.get(key);
  if (logged) {
    if (JSON.stringify(logged.action) !== JSON.stringify(action)) {
      throw new Error(
        `${log.path}, ${key}: expected the action that this agent asks for, got another; was it changed?`,
      );
    }
    return logged;
  }
  const watch = past && new Watch(environment.spec.reward.metric, past);
  const result = await environment.evaluate(
    {
      step_id: `${runId}/${key}`,
      action: [...action],
      seed,
      ...(initialisation !== undefined && { seeds: { initialisation } }),
      ...(test && { test }),
    },
    watch ? { signal: AbortSignal.any([signal, watch.signal]), onProgress: watch.onProgress } : { signal },
  );
  const record: EvaluationRecord = {
    type: 'evaluation',
    key,
    action,
    theta: result.theta,
    outcome: result.outcome,
    reward: result.reward,
    scores: result.scores,
    ...(result.test_scores && { testScores: result.test_scores }),
    ...(result.reason !== undefined && { reason: result.reason }),
    seeds: { ...result.seeds },
    timing: { ...result.timing },
    ...(watch && { early: watch.scores }),
    ...watch?.verdict(),
  };
  if (record.outcome === 'cancelled' && signal.aborted) throw new Error('interrupted');
  log.append(record);
  return record;
}

/** Evaluates all of `requests`, `parallel` at a time; the records come in the order of the requests. */
async function evaluateAll(
  session: Session,
  requests: readonly Request[],
  onRecord: (record: EvaluationRecord) => void = () => {},
): Promise<EvaluationRecord[]> {
  const records: EvaluationRecord[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < requests.length) {
      session.signal.throwIfAborted();
      const i = next++;
      records[i] = await evaluate(session, requests[i]!);
      onRecord(records[i]);
    }
  };
  await Promise.all(Array.from({ length: Math.min(session.parallel, requests.length) }, lane));
  return records;
}

/** The search itself, and what is reported of it. */
async function search(session: Session, options: RunOptions, agent: Agent, start: readonly number[]): Promise<void> {
  const { environment, log, progress, known, told } = session;
  const initialisation = deriveSeed(options.seed, 'initialisation');
  const trials: EvaluationRecord[] = [];
  let left = options.evaluations;

  for (let iteration = 0; left >= 1; iteration++) {
    const asked = agent.ask();
    const first = trials.length;
    const past = options.discard === 'median' ? [...trials] : undefined;
    const requests = asked.slice(0, Math.floor(left)).map((action, i): Request => ({
      key: `search/${first + i}`,
      action,
      seed:
        options.seeds === 'common'
          ? deriveSeed(options.seed, 'iteration', iteration)
          : deriveSeed(options.seed, 'evaluation', first + i),
      ...(options.seeds === 'fixed-initialisation' && { initialisation }),
      past,
    }));
    const records = await evaluateAll(session, requests, (record) => progress.show(record, known.has(record.key)));
    if (records.every(({ outcome }) => outcome === 'failed')) {
      throw new Error(`all ${records.length} evaluations of iteration ${iteration} failed: ${records[0]?.reason}`);
    }
    if (past && iteration === 0 && records.every(({ early = [] }) => early.length === 0)) {
      console.log('--discard: nothing will be, as this environment tells no scores before the end of a training');
    }
    trials.push(...records);
    for (const { work = 1 } of records) left -= work;
    if (records.length < asked.length) break; // the budget ended within the iteration: nothing to learn from a part
    agent.tell(records.map(({ action, reward, estimate = null }): Trial => ({ action, reward: reward ?? estimate })));
    if (iteration >= told) log.append({ type: 'iteration', iteration, state: agent.state?.() ?? {} });
  }

  if (trials.every(({ reward }) => reward === null)) {
    const { outcome, reason } = trials[0]!;
    throw new Error(`none of the ${trials.length} evaluations has a reward; the first one: ${outcome} (${reason})`);
  }
  const learned = await bestOf(session, options, finalists(trials, agent, options.finalists));
  const reported: Reported[] = [
    { name: 'start', ...(await report(session, options, 'start', start)) },
    { name: 'learned', ...(await report(session, options, `after-${options.evaluations}/learned`, learned)) },
  ];
  log.append({ type: 'summary', reported });
  console.log(`\n${describeTheta(environment.spec.parameters, reported)}`);
  console.log(`\n${reportTable(environment.spec, reported)}`);
}

/** The best few actions of a search, and the one that the agent believes in. */
function finalists(trials: readonly EvaluationRecord[], agent: Agent, count: number): (readonly number[])[] {
  const ranked = trials
    .filter(({ reward }) => reward !== null)
    .sort((a, b) => b.reward! - a.reward!)
    .slice(0, count)
    .map(({ action }) => action);
  const own = agent.recommend?.();
  return own ? [...ranked, own] : ranked;
}

/**
 * The finalist with the best mean reward on seeds that the search has not seen: the best of many noisy rewards is
 * mostly luck, and this undoes it. All finalists share the seeds.
 */
async function bestOf(
  session: Session,
  { seed, finalistSeeds, evaluations }: RunOptions,
  candidates: readonly (readonly number[])[],
): Promise<readonly number[]> {
  console.log(`\nre-evaluating ${candidates.length} candidates on ${finalistSeeds} fresh seeds each`);
  const requests = candidates.flatMap((action, i) =>
    Array.from({ length: finalistSeeds }, (_, j): Request => ({
      key: `after-${evaluations}/finalist/${i}/${j}`,
      action,
      seed: deriveSeed(seed, 'finalist', j),
    })),
  );
  const records = await evaluateAll(session, requests);
  const means = candidates.map((_, i) => {
    const rewards = records.slice(i * finalistSeeds, (i + 1) * finalistSeeds).map(({ reward }) => reward ?? -Infinity);
    return rewards.reduce((sum, reward) => sum + reward, 0) / finalistSeeds;
  });
  return candidates[means.indexOf(Math.max(...means))]!;
}

/** Validation and test scores of an action on several seeds of their own. */
async function report(session: Session, { seed, reportSeeds }: RunOptions, key: string, action: readonly number[]) {
  console.log(`testing ${key} on ${reportSeeds} seeds`);
  const requests = Array.from({ length: reportSeeds }, (_, i): Request => ({
    key: `${key}/${i}`,
    action,
    seed: deriveSeed(seed, 'report', i),
    test: true,
  }));
  const records = await evaluateAll(session, requests);
  const scored = records.filter(({ outcome }) => outcome === 'ok');
  return {
    action,
    theta: records[0]!.theta,
    validation: scored.map(({ scores }) => scores),
    test: scored.map(({ testScores }) => testScores!),
  };
}
