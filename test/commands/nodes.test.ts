import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { validateReport } from '../../src/generated/validate.ts';
import { bin } from '../support/command.ts';
import { lackingNodes, otherNodes } from '../support/nodes.ts';

const root = join(dirname(bin), '..');
const folder = mkdtempSync(join(tmpdir(), 'pktcost-nodes-'));
after(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('the packed command', { skip: lackingNodes() }, () => {
  const installed = join(folder, 'package');
  before(() => {
    const packed = execFileSync('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], {
      cwd: root,
      encoding: 'utf8',
    });
    execFileSync('tar', ['-xzf', join(folder, packed.trim()), '-C', folder]);
    for (const name of ['koffi', '@koromix'])
      cpSync(join(root, 'node_modules', name), join(installed, 'node_modules', name), { recursive: true });
  });

  for (const { major, program } of [...otherNodes, { major: 'of the tests', program: process.execPath }]) {
    it(`diagnoses under Node ${major}`, () => {
      const args = ['diagnose', '--window', '500ms', '--json', '--fail-on', 'never'];
      const { status, stdout, stderr } = spawnSync(program, [join(installed, 'bin/pktcost.js'), ...args], {
        cwd: folder,
        encoding: 'utf8',
      });
      assert.equal(status, 0, stderr);
      assert.equal(stderr, '');
      const report: unknown = JSON.parse(stdout);
      assert.ok(validateReport(report));
      if (process.geteuid?.() === 0)
        assert.match(report.probe.status, /^(attached|detached-early)$/, report.probe.reason ?? '');
    });
  }
});
