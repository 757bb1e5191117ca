import { pino, type Logger } from 'pino';
export type { Logger };

export const LOG_LEVELS = ['silent', 'error', 'warn', 'info', 'debug'] as const;

/**
 * A log on stderr: readable lines on a terminal, one JSON object per line elsewhere. Stdout is for a program's output.
 */
export function createLog(level: (typeof LOG_LEVELS)[number], readable = process.stderr.isTTY): Logger {
  const write = (line: string) => void process.stderr.write(readable ? readableLine(line) : line);
  return pino({ level, base: null }, { write });
}

function readableLine(line: string): string {
  const { level, time, msg, ...details } = JSON.parse(line) as { level: number; time: number; msg?: string };
  const clock = new Date(time).toISOString().slice(11, 19);
  const rest = Object.entries(details).map(
    ([key, value]) => `${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
  );
  return `${clock} ${pino.levels.labels[level] ?? level} ${[msg, ...rest].join(' ')}\n`;
}
