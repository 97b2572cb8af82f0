import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { bin, pktcost } from '../support/command.ts';
import { repository } from '../support/fixture.ts';
import { lacking, leftOut } from '../support/needs.ts';

const probe = spawnSync('/usr/bin/python3', ['-c', 'import sos; print(sos.__path__[0])']);
const installed = probe.status === 0 ? probe.stdout.toString().trim() : undefined;
const skip =
  leftOut(installed === undefined ? 'needs sos: apt-get install sosreport' : undefined) || lacking({ root: true });

const folder = mkdtempSync(join(tmpdir(), 'pktcost-sos-'));
after(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** sos sets a search path of its own for the commands it runs: put ours in front of it, in the copy. */
function prependPath(directory: string, place: string): void {
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.py')) continue;
    const path = join(entry.parentPath, entry.name);
    const source = readFileSync(path, 'utf8');
    writeFileSync(path, source.replaceAll(/PATH = "(?=\/usr)/g, `PATH = "${place}:`));
  }
}

function sos(...words: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync(
    'python3',
    ['-c', 'import sys; from sos import SoS; SoS(sys.argv[1:]).execute()', ...words],
    {
      cwd: folder,
      env: { ...process.env, PYTHONPATH: folder },
    },
  );
  assert.equal(status, 0, `${stdout.toString()}${stderr.toString()}`);
}

describe('the plugin for sos', { skip }, () => {
  const out = join(folder, 'out');
  let report = '';

  before(() => {
    if (installed === undefined) return;
    cpSync(installed, join(folder, 'sos'), { recursive: true });
    cpSync(`${repository}/contrib/sos/pktcost.py`, join(folder, 'sos/report/plugins/pktcost.py'));
    mkdirSync(join(folder, 'bin'));
    mkdirSync(out);
    symlinkSync(bin, join(folder, 'bin/pktcost'));
    prependPath(join(folder, 'sos/policies'), join(folder, 'bin'));
    sos('report', '--batch', '-o', 'pktcost', '--tmp-dir', out, '-k', 'pktcost.window=1');
    const archive = readdirSync(out).find((name) => name.endsWith('.tar.xz')) ?? '';
    execFileSync('tar', ['-C', out, '-xJf', join(out, archive)]);
    report = join(out, archive.replace('.tar.xz', ''));
  });

  it('leaves verdict and bundle in the report, and the bundle replays', async () => {
    const verdict = readFileSync(join(report, 'sos_commands/pktcost/verdict.txt'), 'utf8');
    assert.match(verdict, /^Run [^]*pktcost\s+\d+\.\d+\.\d+$/m);
    const { status, stdout, stderr } = await pktcost(['replay', report]);
    assert.ok([0, 3, 4].includes(status ?? -1), stderr);
    assert.match(stderr, /the bundle in this sosreport/);
    assert.equal(stdout.split('\n')[0], verdict.split('\n')[0]);
  });

  it('makes bundles that can be replayed after sos clean', async () => {
    const inside = join(report, 'sos_commands/pktcost/bundle');
    const unpacked = join(inside, 'unpacked');
    mkdirSync(unpacked);
    execFileSync('tar', ['-C', unpacked, '-xzf', join(inside, 'pktcost.tar.gz')]);
    const clean = join(folder, 'clean');
    mkdirSync(clean);
    sos('clean', '--batch', '--tmp-dir', clean, report);
    const cleaned =
      execFileSync('find', [clean, '-type', 'd', '-name', 'unpacked']).toString().trim().split('\n')[0] ?? '';
    const { status, stdout, stderr } = await pktcost(['replay', cleaned]);
    assert.ok([0, 3, 4].includes(status ?? -1), stderr);
    assert.match(stdout, /^Run /m);
  });
});
