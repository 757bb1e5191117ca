import { pino, type Logger } from 'pino';
export type { Logger };

export const LOG_LEVELS = ['silent', 'error', 'warn', 'info', 'debug'] as const;
/** `text`: lines for people; `json`: one JSON object per line. */
export const LOG_FORMATS = ['text', 'json'] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

/** A log with times in ISO 8601, on stderr: stdout is for a program's output. */
export function createLog(
  level: (typeof LOG_LEVELS)[number],
  format: LogFormat = 'text',
  write: (line: string) => void = (line) => void process.stderr.write(line),
): Logger {
  const stream = { write: (line: string) => write(format === 'json' ? line : textLine(line)) };
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, stream);
}

/** The levels of what workers and their queue tell; events that are not named here have the level `info`. */
const EVENT_LEVELS: Readonly<Record<string, 'error' | 'warn' | 'debug'>> = {
  'worker ended': 'warn',
  'worker stopped': 'warn',
  'worker refused': 'warn',
  'worker silent': 'warn',
  'evaluation moves': 'warn',
  'queue warns': 'warn',
  'queue lost': 'error',
  'worker mutters': 'debug',
  // of a worker program
  refused: 'warn',
  'evaluation lost': 'warn',
};

/** Logs the events of workers. */
export function workerEvents(log: Logger): (event: string, details: object) => void {
  return (event, details) => log[EVENT_LEVELS[event] ?? 'info'](details, event);
}

/** A line of JSON as a line for people, such as `2026-01-31T09:30:00.000Z info session opened env=Mixture-v0`. */
function textLine(line: string): string {
  const { level, time, msg = '', ...details } = JSON.parse(line) as { level: number; time: string; msg?: string };
  const words = Object.entries(details).map(([key, value]) => `${key}=${word(value)}`);
  return `${[time, pino.levels.labels[level]?.padEnd(5) ?? level, plain(msg), ...words].join(' ')}\n`;
}

/** Text from elsewhere can neither begin a line of its own nor steer the terminal; the lines of a stack are indented. */
function word(value: unknown): string {
  if (typeof value !== 'string') return plain(JSON.stringify(value));
  if (value.includes('\n    at ')) return value.split('\n').map(plain).join('\n    ');
  return /^[^\s"=\p{C}]+$/u.test(value) ? value : plain(JSON.stringify(value));
}

/** Control characters as escapes, as JSON writes them. */
function plain(text: string): string {
  return text.replace(/\p{Cc}/gu, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
