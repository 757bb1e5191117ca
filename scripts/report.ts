/** `npm run report -- <log or session> [more …]`: what the page of a server shows, as one file, and its figures. */
import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { filePath, secretOf, withSecret, word } from '../agents/run/flags.ts';
import { newCommand, runProgram } from '../agents/run/run-program.ts';
import { makeFolder } from '../protocol/make-folder.ts';
import { writeWhole } from '../protocol/whole-file.ts';
import { loadDefinition } from '../env/experiments/load.ts';
import { logFiles } from './compare/runs.ts';
import { drawFigures } from './report/figures.ts';
import { reportFile } from './report/file.ts';
import { runOfLog } from './report/from-log.ts';
import { runOfServer } from './report/from-server.ts';
import { dataFlag, runtimeOf } from './runtime-flags.ts';
import { DEFAULT_RUNTIME } from '../env/runtime.ts';

interface Options {
  readonly out: string;
  readonly url: string;
  readonly env?: string[];
  readonly data?: string;
  readonly reveal?: true;
  readonly figures: boolean;
}

/** The ids of sessions, as servers here give them. */
const SESSION = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

const command = newCommand('report')
  .description('Writes runs as one HTML file that opens from the disk: rewards, θ, importance, ties, comparison.')
  .argument(
    '<runs...>',
    'logs of runs (.jsonl or .jsonl.gz), folders with logs, or ids of sessions of a server',
    (text: string, all?: string[]) => [...(all ?? []), word(text)],
  )
  .option('--out <file>', 'the file; figures go into the folder <file>-figures', filePath, 'runs/report.html')
  .option('--no-figures', 'write no figures')
  .option('--url <url>', 'the server of the sessions', word, 'ws://127.0.0.1:7077')
  .option(
    '--env <path>',
    'module of an environment of yours, for logs; may be repeated',
    (path: string, all?: string[]) => [...(all ?? []), filePath(path)],
  )
  .addOption(dataFlag())
  .option('--reveal', 'show the hidden θ of a benchmark, for logs; a server shows it if it was started so');
withSecret(command, 'token', 'the bearer token of the server', 'LTS_TOKEN');

await runProgram('report', async () => {
  const options = command.parse().opts<Options>();
  const { out, url, reveal = false } = options;
  const token = secretOf(options, 'token');
  const runtime = runtimeOf({
    backend: DEFAULT_RUNTIME.backend,
    ...(options.data !== undefined && { data: options.data }),
  });
  const own = await Promise.all((options.env ?? []).map((path) => loadDefinition(path)));
  const runs = [];
  for (const given of command.processedArgs[0] as string[]) {
    if (existsSync(given)) {
      for (const path of logFiles([given])) runs.push(await runOfLog(path, { own, runtime, reveal }));
    } else if (SESSION.test(given)) runs.push(await runOfServer(url, given, token));
    else
      throw new Error(`${given}: expected the log of a run, a folder with logs, or the id of a session; there is none`);
  }
  makeFolder(dirname(out));
  writeWhole(out, await reportFile({ runs }));
  console.log(out);
  if (!options.figures) return;
  const folder = join(dirname(out), `${basename(out).replace(/\.html$/, '')}-figures`);
  makeFolder(folder);
  console.log(`${folder} ${drawFigures({ runs }, folder).length} figures, each as SVG and PNG`);
});
