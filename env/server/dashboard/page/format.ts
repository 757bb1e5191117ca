/** Numbers and times as people read them. */
import type { ThetaValue } from '../answers.ts';

/** A number with at most this many digits: `0.0123`, `12.3`, `1.2e-7`. */
export function digits(value: number | null | undefined, most = 4): string {
  if (value === null || value === undefined || Number.isNaN(value)) return '–';
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞';
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e6) return String(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e6)) return value.toExponential(most - 2);
  return String(Number(value.toPrecision(most)));
}

export function valueText(value: ThetaValue | undefined | null): string {
  return typeof value === 'number' ? digits(value) : value === undefined || value === null ? '–' : String(value);
}

/** A value with its unit. */
export const withUnit = (value: ThetaValue | undefined | null, unit: string) =>
  unit === '' || unit === 'probability' ? valueText(value) : `${valueText(value)} ${unit}`;

export function duration(ms: number): string {
  if (!Number.isFinite(ms)) return '–';
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 90) return `${digits(seconds, seconds < 10 ? 2 : 3)} s`;
  const minutes = seconds / 60;
  return minutes < 90 ? `${Math.round(minutes)} min` : `${digits(minutes / 60, 3)} h`;
}

/** `2026-11-03 14:05:09`, in the time of the reader's place. */
export function time(at: number): string {
  if (at === 0) return '–';
  const two = (n: number) => String(n).padStart(2, '0');
  const date = new Date(at);
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

export const plural = (count: number, word: string) => `${count.toLocaleString('en')} ${word}${count === 1 ? '' : 's'}`;
