import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { describe, it } from 'node:test';

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
});
