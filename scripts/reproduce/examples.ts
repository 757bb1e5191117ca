/** Runs optimisers of Python, which are the examples of agents/python, as programs of their own: those that have ended are kept. */
import { once } from 'node:events';
import { existsSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { environmentOf, startedTrialLog, type LogRecord } from '../../agents/run/trial-log.ts';
import { LineLog } from '../../agents/run/line-log.ts';
import type { Specification } from '../../protocol/messages.ts';
import { completeTheta, type Theta } from '../../protocol/parameters.ts';
import { PYTHON } from '../setup/python-folder.ts';
import { projectRoot } from '../setup/steps.ts';
import { armsOf, searchOptionsOf } from './arms.ts';
import { AT_ONCE, flag, goOn, serverOf, specificationOf, type Laboratory } from './laboratory.ts';
import { logPath } from './logs.ts';
import { Pace } from './pace.ts';
import { nameOf, type AgentOptions } from './search-log.ts';
import type { EnvOptions, Preset, Study } from './study.ts';

const EXAMPLES = join(projectRoot, 'agents', 'python');
/** How an example ends: the θ that it recommends. */
const LAST_LINE = /on fresh seeds -?[\d.]+: (\{.*\})$/;

/** The most characters of what a failed one has said that are shown. */
const LAST_WORDS = 2000;

/** One run of an example. */
export interface ExampleRun {
  readonly arm: string;
  /** Its file in agents/python/examples. */
  readonly example: string;
  readonly seed: number;
  readonly evaluations: number;
  /** Its flags, as their names in camel case. */
  readonly options: AgentOptions;
  readonly envOptions: EnvOptions;
}

/** Every run of every arm that is an example, the first seed of all arms first. */
export function examplesOf(study: Study, preset: Preset): ExampleRun[] {
  const arms = Object.entries(armsOf(study, preset));
  return Array.from({ length: preset.searchSeeds }, (_, i) => i + 1).flatMap((seed) =>
    arms.flatMap(([arm, of]): ExampleRun[] => {
      if (of.kind !== 'example') return [];
      const { example, options } = of;
      const envOptions = searchOptionsOf(preset);
      return [{ arm, example, seed, evaluations: preset.evaluations[arm]!, options, envOptions }];
    }),
  );
}

/** @throws {Error} where a study has examples, and their Python is missing */
export function checkPython({ name, arms }: Study): void {
  if (!Object.values(arms).some(({ kind }) => kind === 'example') || existsSync(PYTHON)) return;
  throw new Error(
    `${name}: expected ${PYTHON}, with the optimisers that are compared, got none; npm run setup:python makes it`,
  );
}

/** How a run ended. */
export interface ExampleEnd {
  readonly recommended: Theta;
  /** That it has made until it chose its finalists; more than it was given, where it makes whole iterations. */
  readonly evaluations: number;
  readonly seconds: number;
}

/** How a run ended, from its log; undefined if it has not. */
export function exampleEnd(records: readonly LogRecord[]): ExampleEnd | undefined {
  const last = records.at(-1);
  return last?.type === 'summary' ? (last as unknown as ExampleEnd) : undefined;
}

/**
 * Runs every example that has not ended yet.
 *
 * @param runs at least one, all with the same options of the environment
 * @throws {Error} when one fails, a log was made with other options, or Ctrl-C came: then what is done is kept
 */
export async function runExamples(
  laboratory: Laboratory,
  environment: string,
  runs: readonly ExampleRun[],
): Promise<void> {
  const { logs, programs } = laboratory;
  const spec = await specificationOf(laboratory, environment, runs[0]!.envOptions);
  const open = runs.filter((run) => !exampleEnd(logOf(logs, run, spec)));
  console.log(`${runs.length} runs of Python, ${runs.length - open.length} of them done before; logs: ${logs}`);
  if (open.length === 0) return;
  const pace = new Pace(
    'Python',
    open.reduce((sum, { evaluations }) => sum + evaluations, 0),
  );
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < open.length && !programs.interrupted) {
      const run = open[next++]!;
      const begun = performance.now();
      let evaluations = 0;
      const recommended = await recommend(laboratory, environment, run, (count) => {
        evaluations = count;
        pace.reached(run, count);
      });
      if (programs.interrupted) return;
      if (recommended === undefined)
        throw new Error(`${nameOf(run)}: expected ${run.example} to end with its θ, got none`);
      const seconds = (performance.now() - begun) / 1000;
      pace.reached(run, run.evaluations);
      write(logs, run, spec, {
        recommended: completeTheta(spec.parameters, recommended),
        evaluations: evaluations || run.evaluations, // one that runs all trials at once does not count
        seconds,
      });
      console.log(`${run.arm}, seed ${run.seed}: done in ${seconds.toFixed(0)} s`);
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, lane));
  } finally {
    pace.stop();
  }
  goOn(laboratory);
}

const optionsOf = ({ seed, evaluations, options, envOptions }: ExampleRun) => {
  return { ...options, seed, evaluations, envOptions };
};

/** The log of a run; empty where there is none. @throws {Error} when it was made with other options, or in another environment */
function logOf(logs: string, run: ExampleRun, { spec_hash: specHash }: Specification): LogRecord[] {
  const path = logPath(logs, nameOf(run));
  const started = startedTrialLog(path);
  if (!started) return [];
  const { header, records } = started;
  const [expected, got] = [
    { agent: run.example, options: optionsOf(run), specHash },
    { agent: header.agent, options: header.options, specHash: header.environment.specHash },
  ].map((made) => JSON.stringify(made));
  if (got !== expected) throw new Error(`${path}: expected the log of ${expected}, got one of ${got}; move it away`);
  return records;
}

/** Writes what a run found; it has no log while it runs, so an interrupted one begins anew. */
function write(logs: string, run: ExampleRun, spec: Specification, end: ExampleEnd): void {
  const path = logPath(logs, nameOf(run));
  rmSync(path, { force: true });
  const log = new LineLog<LogRecord>(path, { fresh: true });
  const { example: agent, seed } = run;
  log.append({
    type: 'run',
    runId: `${agent}-${seed}`,
    agent,
    options: optionsOf(run),
    environment: environmentOf(spec),
  });
  log.append({ type: 'summary', ...end });
  log.close();
}

/** Runs one example to its end. @returns the θ of its last line; undefined when it was interrupted */
async function recommend(
  laboratory: Laboratory,
  environment: string,
  run: ExampleRun,
  onDone: (evaluations: number) => void,
): Promise<Theta | undefined> {
  const { programs } = laboratory;
  const { example, seed, evaluations, options, envOptions } = run;
  const words = Object.entries(options).flatMap(([name, value]) => [flag(name), String(value)]);
  const path = process.env['PYTHONPATH'];
  const child = programs.startOther(
    PYTHON,
    [
      ...['-B', '-W', 'ignore', join('examples', `${example}.py`), '--url', serverOf(laboratory), '--env', environment],
      ...['--env-options', JSON.stringify(envOptions), '--evaluations', String(evaluations), '--seed', String(seed)],
      ...words,
    ],
    {
      cwd: EXAMPLES,
      env: {
        // The package of this repository, wherever another copy is installed.
        PYTHONPATH: path === undefined ? EXAMPLES : `${EXAMPLES}${delimiter}${path}`,
        PYTHONUNBUFFERED: '1',
        OMP_NUM_THREADS: '1', // small matrices: more threads only wait for each other
      },
    },
  );
  const end = once(child, 'close') as Promise<[number | null]>;
  let recommended: Theta | undefined;
  let said = '';
  child.stderr!.on('data', (data: Buffer) => (said = (said + data.toString()).slice(-LAST_WORDS)));
  createInterface({ input: child.stdout! }).on('line', (line) => {
    const done = /^\[ *(\d+)\/\d+\]/.exec(line)?.[1];
    if (done !== undefined) onDone(Number(done));
    const theta = LAST_LINE.exec(line)?.[1];
    if (theta !== undefined) recommended = JSON.parse(theta) as Theta;
  });
  const [code] = await end;
  if (code !== 0 && !programs.interrupted) {
    throw new Error(`${nameOf(run)}: ${example} ended with ${code ?? 'a signal'}:\n${said.trimEnd()}`);
  }
  return recommended;
}
