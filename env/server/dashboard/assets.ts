/** The page's files: bundled once, in memory, when a page is first asked for. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build, stop } from 'esbuild';

/** What a browser loads, by its path. */
export interface Asset {
  readonly type: string;
  readonly text: string;
  readonly gzipped: Buffer;
}

const FOLDER = join(import.meta.dirname, 'page');

export interface Bundle {
  readonly html: string;
  readonly script: string;
  readonly style: string;
}

let bundled: Promise<Bundle> | undefined;

/** @throws {Error} when the page cannot be bundled; the next call tries again */
export function bundle(): Promise<Bundle> {
  return (bundled ??= make().catch((error: unknown) => {
    bundled = undefined;
    throw error;
  }));
}

async function make(): Promise<Bundle> {
  try {
    const { outputFiles } = await build({
      entryPoints: [join(FOLDER, 'main.ts'), join(FOLDER, 'page.css')],
      bundle: true,
      minify: true,
      write: false,
      outdir: FOLDER,
      format: 'iife',
      target: 'es2022',
      charset: 'utf8',
      legalComments: 'none',
      logLevel: 'silent',
    });
    const text = (ending: string) => outputFiles.find(({ path }) => path.endsWith(ending))!.text;
    return { html: readFileSync(join(FOLDER, 'index.html'), 'utf8'), script: text('.js'), style: text('.css') };
  } finally {
    await stop(); // or its process would stay
  }
}

let assets: Promise<Readonly<Record<string, Asset>>> | undefined;

/** The files of the page: `/`, `/page.js`, `/page.css`. */
export async function pageAssets(): Promise<Readonly<Record<string, Asset>>> {
  const { html, script, style } = await bundle();
  const asset = (type: string, text: string): Asset => ({ type, text, gzipped: gzipSync(text) });
  return (assets ??= Promise.resolve({
    '/': asset('text/html; charset=utf-8', html),
    '/page.js': asset('text/javascript; charset=utf-8', script),
    '/page.css': asset('text/css; charset=utf-8', style),
  }));
}

/** What a browser is told to refuse: everything that is not the page's own. */
export const SECURITY_HEADERS = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
} as const;
