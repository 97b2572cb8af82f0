import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
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

function argsOf(manifest: string): string[] {
  const listed = /^ {10}args:\n((?: {12}.*\n)+)/m.exec(manifest)?.[1] ?? '';
  return [...listed.matchAll(/^ *- (.*)$/gm)].map(([, arg = '']) => arg);
}

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
    const args = argsOf(manifest);
    for (const path of ['/host/proc', '/host/sys', '/host/root']) {
      assert.ok(args.some((arg) => arg.endsWith(`=${path}`)) && manifest.includes(`mountPath: ${path}\n`), path);
    }
    const here = args.map((arg) => arg.replace('/host/root', '/').replace('/host', '').replace('=30s', '=500ms'));
    const { status, stdout, stderr } = await pktcost([...here, '--probe=off', '--quiet']);
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^Checks {5}/m);
  });

  it('the watches of systemd and of a node watch, and a finding is no failure of them', async () => {
    const unit = contrib('systemd/pktcost-watch.service');
    const environment = /^Environment=(.*)$/m.exec(unit)?.[1] ?? '';
    const valueOf = (name: string): string => new RegExp(`${name}=(\\S+)`).exec(environment)?.[1] ?? '';
    const ofUnit = (/^ExecStart=\S+\/pktcost (.*)$/m.exec(unit)?.[1] ?? '')
      .replace(/\$\{(\w+)\}/g, (_, name: string) => valueOf(name))
      .split(' ');
    const manifest = contrib('kubernetes/pktcost-watch.yaml');
    for (const mounted of ['/host/proc', '/host/sys', '/host/root', '/bundles'])
      assert.ok(
        argsOf(manifest).some((arg) => arg.endsWith(`=${mounted}`)),
        mounted,
      );
    const ofNode = argsOf(manifest).map((arg) => arg.replace('/host/root', '/').replace('/host', ''));
    for (const [index, words] of [ofUnit, ofNode].entries()) {
      const bundles = join(folder, `watch-${index}`);
      const shortened: Readonly<Record<string, string>> = {
        '--for': '1s',
        '--window': '500ms',
        '--bundle': bundles,
        '--netns': 'none',
      };
      const flags = words
        .join(' ')
        .replaceAll(/(--[\w.-]+)[ =]([^ ]+)/g, '$1=$2')
        .split(' ');
      const short = flags.map((word) => {
        const [flag = ''] = word.split('=');
        return shortened[flag] === undefined ? word : `${flag}=${shortened[flag]}`;
      });
      const { status, stdout, stderr } = await pktcost(short);
      assert.equal(status, 0, stderr);
      assert.match(stdout, /^\d\d:\d\d:\d\dZ .*\n[^]*^Overhead /m);
      assert.deepEqual(
        readdirSync(bundles).filter((name) => !name.startsWith('watch-')),
        [],
      );
    }
  });
});
