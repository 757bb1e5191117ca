/** The file of a report: the page of a server with its code, its style, and the runs in itself. */
import { createHash } from 'node:crypto';
import type { ReportedRuns } from '../../env/server/dashboard/answers.ts';
import { bundle } from '../../env/server/dashboard/assets.ts';

/** What a browser may use of the file: this script and this style, and pictures in it. */
function policy(script: string, style: string): string {
  const hash = (text: string) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
  return `default-src 'none'; script-src ${hash(script)}; style-src ${hash(style)}; img-src data:; base-uri 'none'; form-action 'none'`;
}

/** A self-contained HTML file: nothing is loaded when it is opened. */
export async function reportFile(report: ReportedRuns): Promise<string> {
  const { html, script, style } = await bundle();
  // No text of a run may end the element that it stands in.
  const json = JSON.stringify(report).replaceAll('<', String.raw`\u003c`);
  const parts: [place: string, text: string][] = [
    ['<link rel="stylesheet" href="/page.css" />', `<style>${style}</style>`],
    [
      '<script defer src="/page.js"></script>',
      `<meta http-equiv="Content-Security-Policy" content="${policy(script, style)}" />`,
    ],
    [
      '</noscript>',
      `</noscript>\n    <script type="application/json" id="report">${json}</script>\n    <script>${script}</script>`,
    ],
  ];
  return parts.reduce((file, [place, text]) => {
    if (!file.includes(place)) throw new Error(`page/index.html: expected ${place}`);
    return file.replace(place, () => text);
  }, html);
}
