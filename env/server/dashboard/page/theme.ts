/** Light and dark: as the system says, unless the reader has chosen. */
import { DARK, LIGHT, type Palette } from '../charts/palette.ts';

const KEY = 'lts.theme';
const THEMES = ['system', 'light', 'dark'] as const;
type Theme = (typeof THEMES)[number];

const dark = matchMedia('(prefers-color-scheme: dark)');
const listeners = new Set<() => void>();

function chosen(): Theme {
  const known = read(localStorageOrNone(), KEY);
  return THEMES.find((theme) => theme === known) ?? 'system';
}

/** A file that is opened from the disk may have no storage. */
function localStorageOrNone(): Storage | undefined {
  try {
    return window.localStorage;
  } catch {
    return undefined;
  }
}

function read(storage: Storage | undefined, key: string): string | null {
  return storage?.getItem(key) ?? null;
}

const isDark = () => (chosen() === 'system' ? dark.matches : chosen() === 'dark');

export const palette = (): Palette => (isDark() ? DARK : LIGHT);

export const themeName = (): Theme => chosen();

/** The next of: as the system, light, dark. */
export function nextTheme(): void {
  const next = THEMES[(THEMES.indexOf(chosen()) + 1) % THEMES.length]!;
  localStorageOrNone()?.setItem(KEY, next);
  apply();
}

/** @returns what ends it */
export function onTheme(listener: () => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

export function apply(): void {
  document.documentElement.dataset['theme'] = isDark() ? 'dark' : 'light';
  listeners.forEach((listener) => listener());
}

dark.addEventListener('change', apply);
