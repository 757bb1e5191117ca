import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

const read = (path: string) => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8');

interface Package {
  readonly license?: string;
  readonly dev?: true;
}

/** Licences that ask for more than a notice: their packages are named. */
const NAMED = /LGPL|MPL|SEE LICENSE/;

describe('docs/licences.md', () => {
  const [toRun, toChange] = read('docs/licences.md').split('## Only to change it');
  const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, Package> };
  const dependencies = Object.entries(packages)
    .filter(([path]) => path !== '')
    .map(([path, { license = 'none', dev = false }]) => ({ name: path.split('node_modules/').at(-1)!, license, dev }));
  const rowOf = (part: string, licence: string) => part.split('\n').find((line) => line.startsWith(`| ${licence} |`));

  it('has every licence of package-lock.json, and names the packages whose licence asks for more than a notice', () => {
    assert.ok(dependencies.length > 300);
    for (const { name, license, dev } of dependencies) {
      const row = rowOf(dev ? toChange! : toRun!, license);
      assert.ok(row !== undefined, `${name} has the licence ${license}`);
      if (!NAMED.test(license)) continue;
      assert.equal(dev, false, name);
      const named = [...row.matchAll(/`([^`]+)`/g)].map(([, prefix]) => prefix!);
      assert.ok(
        named.some((prefix) => name.startsWith(prefix)),
        `${name} (${license}) is not named`,
      );
    }
  });

  it('has no licence that no package has', () => {
    for (const [part, dev] of [
      [toRun!, false],
      [toChange!, true],
    ] as const) {
      const licences = [...part.matchAll(/^\| ([^|-][^|]*) \|/gm)].map(([, licence]) => licence!);
      for (const licence of licences.filter((word) => word !== 'licence')) {
        assert.ok(
          dependencies.some((one) => one.license === licence && one.dev === dev),
          licence,
        );
      }
    }
  });
});
