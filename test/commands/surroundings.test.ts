import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { bin } from '../support/command.ts';

const folder = mkdtempSync(join(tmpdir(), 'pktcost-surroundings-'));
after(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** What a local user leaves where root's run might look: it tells that it ran. */
function trap(name: string): { readonly code: string; readonly sprung: () => boolean } {
  const mark = join(folder, `sprung-${name}`);
  return { code: `require('node:fs').writeFileSync(${JSON.stringify(mark)}, '')`, sprung: () => existsSync(mark) };
}

function put(path: string, content: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
}

describe('code that others leave around', () => {
  const installed = join(folder, 'opt');
  const [home, cwd, tmp] = [join(folder, 'home'), join(folder, 'cwd'), join(folder, 'tmp')];
  before(() => {
    // As installed, but without koffi.
    const root = join(dirname(bin), '..');
    for (const name of ['bin', 'dist', 'bpf', 'package.json'])
      cpSync(join(root, name), join(installed, name), { recursive: true });
    for (const each of [home, cwd, tmp]) mkdirSync(each, { recursive: true });
  });

  const places: readonly (readonly [string, string])[] = [
    ['home', join(home, '.node_modules/koffi/index.js')],
    ['libraries', join(home, '.node_libraries/koffi/index.js')],
    ['path', join(folder, 'path/koffi/index.js')],
    ['cwd', join(cwd, 'node_modules/koffi/index.js')],
    ['typescript', join(cwd, 'node_modules/typescript/index.js')],
    ['ts-node', join(home, '.node_modules/ts-node/index.js')],
  ];

  for (const [name, path] of places) {
    it(`is not run from ${name}`, () => {
      const { code, sprung } = trap(name);
      put(path, `${code}; module.exports = {};`);
      const { status, stderr } = spawnSync(
        process.execPath,
        [join(installed, 'bin/pktcost.js'), 'diagnose', '--window', '500ms', '--fail-on', 'never'],
        {
          cwd,
          encoding: 'utf8',
          env: {
            PATH: process.env['PATH'],
            HOME: home,
            NODE_PATH: join(folder, 'path'),
            TMPDIR: tmp,
            NODE_ENV: 'development',
          },
        },
      );
      assert.equal(status, 0, stderr);
      assert.equal(sprung(), false, `${path} was run`);
    });
  }
});
