/** The archive with a Node of its own, for hosts that have none. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

import type { Report } from '../../src/generated/report.ts';
import { lacking } from '../support/needs.ts';

const repository = fileURLToPath(new URL('../../../', import.meta.url));

describe('the standalone archive', { skip: lacking({ tools: ['tar', 'xz', 'npm'] }) }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'pktcost-test-standalone-'));
  let home: string;

  before(() => {
    const args = [join(repository, 'scripts/standalone.mjs'), '--output', folder, '--level', '0'];
    const archive = execFileSync(process.execPath, args, { encoding: 'utf8' }).trim();
    execFileSync('tar', ['-xJf', archive, '-C', folder]);
    const [name] = readdirSync(folder).filter((each) => !each.endsWith('.xz'));
    home = join(folder, name ?? '');
  });
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  /** With nothing on the path but what every host has. */
  const run = (command: string, ...args: string[]): SpawnSyncReturns<string> =>
    spawnSync(command, args, { encoding: 'utf8', env: { PATH: '/usr/bin:/bin', HOME: '/nonexistent' }, cwd: '/' });

  it('runs where it was unpacked, and through a link', () => {
    assert.match(run(join(home, 'pktcost'), '--version').stdout, /^pktcost\/\d+\.\d+\.\d+ linux-\w+ node-v\d+/);
    const link = join(folder, 'linked');
    symlinkSync(join(home, 'pktcost'), link);
    assert.match(run(link, 'rules').stdout, /^PKT0101/);
  });

  it('diagnoses, foreign calls and BPF objects included', () => {
    const { stdout, stderr, status } = run(
      join(home, 'pktcost'),
      'diagnose',
      '--window',
      '500ms',
      '--json',
      '--fail-on',
      'never',
    );
    assert.equal(status, 0, stderr);
    const report = JSON.parse(stdout) as Report;
    const sockets = report.collectors.find(({ id }) => id === 'packet');
    assert.equal(sockets?.status, 'ok', sockets?.reason ?? '');
    if (process.geteuid?.() === 0) assert.doesNotMatch(report.probe.reason ?? '', /koffi|objects/);
  });

  it('is not made for a machine that it has no Node for', () => {
    const args = [join(repository, 'scripts/standalone.mjs'), '--output', folder, '--arch', 'mips'];
    const { status, stderr } = run(process.execPath, ...args);
    assert.equal(status, 2);
    assert.match(stderr, /no archive is made for mips/);
  });

  it('holds nothing that is only for building it', () => {
    const outer = readdirSync(home).filter((each) => each !== 'LICENSE.node');
    assert.deepEqual(outer.sort(), ['LICENSE', 'README', 'lib', 'node', 'pktcost']);
    assert.deepEqual(readdirSync(join(home, 'lib/pktcost/node_modules')).sort(), ['@koromix', 'koffi']);
    for (const each of ['src', 'test', 'build']) assert.ok(!existsSync(join(home, 'lib/pktcost', each)), each);
  });
});
