import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { describe, it } from 'node:test';

import { ESLint } from 'eslint';

import { repository } from '../support/fixture.ts';

const page = readFileSync(`${repository}/docs/ARCHITECTURE.md`, 'utf8');
const folders = readdirSync(`${repository}/src`, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

/** The arrows as ESLint keeps them. */
async function kept(): Promise<Readonly<Record<string, readonly string[]>>> {
  const config = (await import(`file://${repository}/eslint.config.mjs`)) as {
    readonly arrows: Readonly<Record<string, readonly string[]>>;
  };
  return config.arrows;
}

/** The arrows as the page draws them: `    rules   base metrics`. */
function drawn(): Readonly<Record<string, readonly string[]>> {
  const rows = page.matchAll(/^ {4}(\w+) +<- +(.*)$/gm);
  return Object.fromEntries(
    [...rows].map(([, folder = '', known = '']) => [folder, known === 'nothing' ? [] : known.split(', ')]),
  );
}

describe('docs/ARCHITECTURE.md', () => {
  it('says of every folder of src/ what its job is', () => {
    for (const folder of folders) assert.match(page, new RegExp(`^ {6}${folder}/ `, 'm'));
    const told = [...page.matchAll(/^ {6}(\w+)\/ /gm)].map(([, folder]) => folder);
    assert.deepEqual(told.sort(), folders.sort());
  });

  it('draws the arrows that ESLint keeps, for every folder', async () => {
    const arrows = await kept();
    assert.deepEqual(drawn(), arrows);
    assert.deepEqual([...Object.keys(arrows), 'generated'].sort(), folders.sort());
  });

  it('has them kept by imports of every kind', async () => {
    const eslint = new ESLint({ cwd: repository });
    for (const [file, code, complaints] of [
      ['src/commands/new.ts', "import { live } from '../probe/live.ts';", 1],
      ['src/commands/new.ts', "import type { Live } from '../probe/live.ts';", 0],
      ['src/commands/new.ts', "export const load = () => import('../probe/live.ts');", 1],
      ['src/commands/new.ts', "export const load = () => import('../jobs/taps.ts');", 0],
      ['src/commands/new.ts', 'export const load = (path: string) => import(path);', 1],
      ['src/rules/new.ts', "export { tapsOf } from '../report/build/packet-sockets.ts';", 1],
      ['src/new.ts', "export const load = () => import('./jobs/taps.ts');", 1],
      ['src/new.ts', "export const load = () => import('./commands/taps.ts');", 0],
    ] as const) {
      const [result] = await eslint.lintText(code, { filePath: `${repository}/${file}` });
      assert.equal(result?.messages.length, complaints, `${file}: ${code}`);
    }
  });
});
