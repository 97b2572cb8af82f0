import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { pktcost } from '../support/command.ts';
import { lacking } from '../support/needs.ts';
import { TestNamespace, withoutRoot } from '../support/root.ts';
import { execFileSync } from 'node:child_process';

const under = (limit: number, ...inside: readonly string[]): readonly string[] => [
  ...inside,
  ...['/bin/bash', '-c', `ulimit -n ${limit} && exec "$@"`, 'bash'],
];

describe('few descriptors', { skip: lacking({ tools: ['/bin/bash'] }) }, () => {
  for (const limit of [16, 24, 32, 40]) {
    it(`${limit} of them are too few, which is one line`, async () => {
      const { status, stderr } = await pktcost(['diagnose', '--window', '500ms'], { under: under(limit) });
      if (status === 1) assert.equal(stderr.trimEnd().split('\n').length, 1, stderr);
      assert.doesNotMatch(stderr, /\n\s+at /);
    });
  }

  for (const format of ['text', 'html']) {
    it(`64 of them are enough for a report as ${format} and a bundle`, async () => {
      const folder = mkdtempSync(join(tmpdir(), 'pktcost-few-'));
      try {
        const files = ['-o', join(folder, 'report'), '--bundle', join(folder, 'bundle.tar.gz')];
        const { status, stderr } = await pktcost(
          ['diagnose', '--window', '1s', '--fail-on', 'never', '--format', format, ...files],
          { under: under(64) },
        );
        assert.equal(status, 0, stderr);
        assert.deepEqual(readdirSync(folder).sort(), ['bundle.tar.gz', 'report']);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    });
  }

  it('256 of them are enough beside 80 devices', { skip: withoutRoot }, async () => {
    const namespace = new TestNamespace();
    try {
      const links = Array.from(
        { length: 40 },
        (_, index) => `link add v${index} up type veth peer name w${index}\nlink set w${index} up\n`,
      );
      execFileSync('ip', ['-n', namespace.name, '-batch', '-'], { input: links.join('') });
      const { status, stdout, stderr } = await pktcost(
        ['diagnose', '--window', '1s', '--fail-on', 'never', '--probe', 'xdp', '--netns', 'none'],
        { under: under(256, 'ip', 'netns', 'exec', namespace.name) },
      );
      assert.equal(status, 0, stderr);
      assert.match(stdout, /^Checks  /m);
    } finally {
      await namespace.remove();
    }
  });
});
