import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import { pktcost } from '../support/command.ts';
import { repository } from '../support/fixture.ts';

const folder = mkdtempSync(join(tmpdir(), 'pktcost-contrib-'));
after(() => {
  rmSync(folder, { recursive: true, force: true });
});

const contrib = (path: string): string => readFileSync(join(repository, 'contrib', path), 'utf8');

describe('what contrib/ runs', () => {
  it('the systemd service writes the page where its README says', async () => {
    const command = /^ExecStart=\S+\/pktcost (.*)$/m.exec(contrib('systemd/pktcost-metrics.service'))?.[1] ?? '';
    const target = '/var/lib/pktcost/pktcost.prom';
    assert.ok(command.includes(target) && contrib('systemd/README.md').includes(target));
    const path = join(folder, 'pktcost.prom');
    const { status, stderr } = await pktcost(command.replace(target, path).split(' '));
    assert.equal(status, 0, stderr);
    assert.match(readFileSync(path, 'utf8'), /^node_softnet_processed_total/m);
  });

  it('the job on a node diagnoses, and a finding is no failure of it', async () => {
    const manifest = contrib('kubernetes/pktcost.yaml');
    const listed = /^ {10}args:\n((?: {12}.*\n)+)/m.exec(manifest)?.[1] ?? '';
    const args = [...listed.matchAll(/^ *- (.*)$/gm)].map(([, arg = '']) => arg);
    for (const path of ['/host/proc', '/host/sys', '/host/root']) {
      assert.ok(args.some((arg) => arg.endsWith(`=${path}`)) && manifest.includes(`mountPath: ${path}\n`), path);
    }
    const here = args.map((arg) => arg.replace('/host/root', '/').replace('/host', '').replace('=30s', '=500ms'));
    const { status, stdout, stderr } = await pktcost([...here, '--probe=off', '--quiet']);
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^Checks: /m);
  });
});
