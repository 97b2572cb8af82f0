import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterEach, beforeEach, describe, it } from 'node:test';

import { repository } from './fixture.ts';
import { lacking, leftOut } from './needs.ts';

describe('what a test needs, in CI', () => {
  const before = process.env['CI'];
  beforeEach(() => {
    process.env['CI'] = 'true';
  });
  afterEach(() => {
    if (before === undefined) delete process.env['CI'];
    else process.env['CI'] = before;
  });

  it('has to be there where it is a tool', () => {
    assert.throws(
      () => lacking({ tools: ['no-such-tool-of-ours'] }),
      /CI must run these tests: needs no-such-tool-of-ours/,
    );
    assert.throws(() => leftOut('needs a browser'), /CI must run these tests/);
    assert.equal(lacking({ tools: ['sh'] }), false);
  });

  it('may be absent where it is not in the repository, as in a clone from a forge', () => {
    const clone = mkdtempSync(`${tmpdir()}/pktcost-clone-`);
    try {
      mkdirSync(`${clone}/pktcost`);
      cpSync(`${repository}/build`, `${clone}/pktcost/build`, { recursive: true });
      for (const name of ['node_modules', 'package.json', 'schema', 'bpf'])
        symlinkSync(`${repository}/${name}`, `${clone}/pktcost/${name}`);
      // Node tells a child of its tests so, which then reports to it instead of us.
      const env = { ...process.env, CI: 'true', NODE_TEST_CONTEXT: undefined };
      const { status, stdout } = spawnSync(
        process.execPath,
        ['--test-reporter=tap', `${clone}/pktcost/build/test/parity.test.js`],
        { env, encoding: 'utf8' },
      );
      assert.match(
        stdout,
        /parity with node_exporter over its own fixtures # SKIP .*shared\/fixtures\/upstream is not there/,
      );
      assert.equal(status, 0);
    } finally {
      rmSync(clone, { recursive: true });
    }
  });
});
