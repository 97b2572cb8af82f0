import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

import { leftNamespaces, leftSettings, pause, PREFIX, removeNetns } from './kit/hosts.ts';
import { onPath, programNames } from './kit/programs.ts';

/** Runs as the last file of the suite: what its scenarios made is gone. */
describe('Nothing is left behind', { skip: process.getuid?.() !== 0 && 'nothing was made without root' }, () => {
  it('no network namespace', { skip: !onPath('ip') && 'needs ip' }, () => {
    const left = leftNamespaces();
    // Told once, and out of the way of the next run.
    for (const netns of left) removeNetns(netns);
    assert.deepEqual(left, []);
  });

  it('no device of ours in this namespace', () => {
    const devices = readdirSync('/sys/class/net');
    assert.deepEqual(
      devices.filter((device) => device.startsWith(PREFIX)),
      [],
    );
  });

  it('no program of ours', () => {
    const left = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => programNames.some((name) => name === status(pid, 'Name')) && status(pid, 'PPid') === '1');
    assert.deepEqual(left, []);
  });

  it('no eBPF program of the probe', { skip: !onPath('bpftool') && 'needs bpftool' }, async (test) => {
    const deadline = Date.now() + 5000;
    while (probePrograms().length > 0 && Date.now() < deadline) await pause(250);
    const left = probePrograms();
    const others = readdirSync('/proc').filter(
      (pid) => /^\d+$/.test(pid) && /pktcost\.js|build\/test\//.test(cmdline(pid)),
    );
    if (left.length > 0 && others.some((pid) => Number(pid) !== process.pid && Number(pid) !== process.ppid)) {
      test.skip('another run of pktcost may hold them');
      return;
    }
    assert.deepEqual(left, []);
  });

  it('no setting of the whole host', () => {
    assert.deepEqual(leftSettings(), []);
  });
});

function probePrograms(): readonly string[] {
  const { status, stdout } = spawnSync('bpftool', ['prog', 'list', '--json'], { encoding: 'utf8' });
  assert.equal(status, 0);
  const programs = JSON.parse(stdout) as { name?: string }[];
  return programs.map(({ name }) => name ?? '').filter((name) => name.startsWith('pktcost_'));
}

function status(pid: string, field: string): string {
  return new RegExp(`^${field}:\\s*(.*)$`, 'm').exec(ofProcess(pid, 'status'))?.[1] ?? '';
}

function cmdline(pid: string): string {
  return ofProcess(pid, 'cmdline').replaceAll('\0', ' ');
}

function ofProcess(pid: string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch (error) {
    // It ended since the listing.
    assert.ok(error instanceof Error);
    return '';
  }
}
