/**
 * Checks a server, or a client, against the numbered rules of protocol/README.md:
 *
 *     node --import tsx protocol/conformance/run.ts ws://127.0.0.1:7077
 *     node --import tsx protocol/conformance/run.ts --client 'python my_client.py {url}'
 */
import { Command, InvalidArgumentError, Option } from 'commander';
import { WebSocket } from 'ws';
import { decode, encode } from '../codec.ts';
import { parseJson } from '../json-text.ts';
import { SUBPROTOCOLS, type Codec, type ServerMessages } from '../messages.ts';
import { checkClient, runProgram } from './check-client.ts';
import { checkServer, type Verdict } from './check-server.ts';

interface Options {
  readonly client?: string;
  readonly env?: string;
  readonly envOptions: string;
  readonly token?: string;
  readonly codec: Codec | 'both';
  readonly json?: true;
}

/** An empty word, from an unset variable of the shell, names nothing. */
function word(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('Expected a word, got nothing.');
  return text;
}

const command = new Command('conformance')
  .description('Checks a server (by its URL) or a client (by its command line) against the rules of the protocol.')
  .argument('[url]', 'URL of the server, such as ws://127.0.0.1:7077', word)
  .option(
    '--client <command>',
    'check a client instead of a server: it must evaluate 12 actions at once in the only environment of {url}, and end',
    word,
  )
  .option('--env <id>', 'environment of the server; the first one by default', word)
  .option('--env-options <json>', 'options of the environment', word, '{}')
  .option('--token <secret>', 'bearer token of the server', word)
  .addOption(new Option('--codec <name>', 'subprotocol').choices(['msgpack', 'json', 'both']).default('both'))
  .option('--json', 'print one JSON object instead of the table');

/** The first environment of a server. */
async function firstEnvironment(url: string, token: string | undefined): Promise<string> {
  const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const socket = new WebSocket(url, SUBPROTOCOLS.json, { headers });
  try {
    return await new Promise((resolve, reject) => {
      socket.once('error', reject);
      socket.once('open', () => socket.send(encode('json', { t: 'hello', id: 1, protocol: [1] })));
      socket.once('message', (data, isBinary) => {
        const welcome = decode('json', data as Buffer, isBinary) as ServerMessages['welcome'];
        const [first] = welcome.envs ?? [];
        if (first) resolve(first.env_id);
        else reject(new Error(`welcome: expected an environment, got ${JSON.stringify(welcome).slice(0, 200)}`));
      });
    });
  } finally {
    socket.close();
  }
}

async function main(): Promise<void> {
  command.parse();
  const options = command.opts<Options>();
  const [url] = command.args;
  const { client, token, json } = options;
  if ((url === undefined) === (client === undefined)) command.error('conformance: expected either a URL or --client');
  const envOptions = jsonObject(options.envOptions);
  const envId = client === undefined ? (options.env ?? (await firstEnvironment(url!, token))) : undefined;
  const codecs: Codec[] = options.codec === 'both' ? ['msgpack', 'json'] : [options.codec];
  if (!json)
    console.log(`conformance ${JSON.stringify({ url, ...options, ...(token !== undefined && { token: '…' }) })}\n`);
  const all: (Verdict & { codec: Codec })[] = [];
  for (const codec of codecs) {
    const report = (verdict: Verdict) => {
      all.push({ codec, ...verdict });
      if (!json) console.log(line(codec, verdict));
    };
    if (client !== undefined) await checkClient((at) => runProgram(client, at, codec), codec, report);
    else await checkServer({ url: url!, codec, token, envId: envId!, options: envOptions }, report);
  }
  const failed = all.filter(({ passed }) => !passed).length;
  if (json) console.log(JSON.stringify({ passed: all.length - failed, failed, checks: all }));
  else console.log(`\n${all.length - failed} of ${all.length} checks passed`);
  process.exit(failed === 0 ? 0 : 1);
}

function line(codec: Codec, { rules, title, passed, reason }: Verdict): string {
  const mark = passed ? 'pass' : 'FAIL';
  return `${mark}  ${codec.padEnd(7)}  ${rules.join(' ').padEnd(16)}  ${title}${passed ? '' : `\n      ${reason}`}`;
}

/** @throws {Error} when the text is no JSON object */
function jsonObject(text: string): Record<string, unknown> {
  const value = parseJson(text, '--env-options');
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error(`--env-options: expected a JSON object, got ${text}`);
  }
  return value as Record<string, unknown>;
}

function fail(error: unknown): never {
  // A name with several addresses fails with an error for each.
  const errors = error instanceof AggregateError ? (error.errors as Error[]) : [error as Error];
  console.error(`conformance: ${errors.map(({ message }) => message).join('; ')}`);
  process.exit(1);
}

// Without these, a client that is checked would go on.
process.on('SIGINT', () => process.exit(130)).on('SIGTERM', () => process.exit(143));
process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => process.exit(code === 'EPIPE' ? 141 : 1));
await main().catch(fail);
