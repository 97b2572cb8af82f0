import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import { bin } from '../support/command.ts';
import { otherNodes } from '../support/nodes.ts';

const folder = mkdtempSync(join(tmpdir(), 'pktcost-code-'));
after(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Run before pktcost, it writes what V8 says of the compiled code that it is handed with the bundle. */
const listener = join(folder, 'listener.cjs');
const heard = join(folder, 'heard');
writeFileSync(
  listener,
  `const vm = require('node:vm');
  vm.Script = class extends vm.Script {
    constructor(source, options) {
      super(source, options);
      require('node:fs').writeFileSync(${JSON.stringify(heard)}, String(this.cachedDataRejected));
    }
  };`,
);

describe('the code that V8 made of the bundle at build time', () => {
  for (const { major, program } of [
    ...otherNodes.filter(({ program }) => existsSync(program)),
    { major: 'of the tests', program: process.execPath },
  ])
    for (const words of [['--help'], ['rules'], ['diagnose', '--windw', '1s']])
      it(`is taken by Node ${major} for pktcost ${words.join(' ')}`, () => {
        rmSync(heard, { force: true });
        spawnSync(program, ['--require', listener, bin, ...words]);
        assert.equal(readFileSync(heard, 'utf8'), 'false', 'refused, or not there');
      });
});

describe('the version', () => {
  it('is said without the bundle, as the bundle would say it', () => {
    const said = ['--version', '-V', 'version'].map((word) => {
      rmSync(heard, { force: true });
      const { stdout } = spawnSync(process.execPath, ['--require', listener, bin, word], { encoding: 'utf8' });
      assert.ok(!existsSync(heard), 'the bundle was loaded');
      return stdout;
    });
    // oclif takes it for its own only as the first word; to a stdout that takes nothing it is the bundle that answers.
    const { stdout } = spawnSync(
      '/bin/sh',
      [
        '-c',
        '"$0" "$@" --version >/dev/full; test -e "$HEARD" && echo the bundle',
        process.execPath,
        '--require',
        listener,
        bin,
      ],
      {
        encoding: 'utf8',
        env: { ...process.env, HEARD: heard },
      },
    );
    assert.equal(stdout, 'the bundle\n');
    assert.deepEqual(new Set(said).size, 1);
    assert.match(said[0] ?? '', /^pktcost\/\d+\.\d+\.\d+ linux-\w+ node-v\d/);
  });
});
