import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { describe, it } from 'node:test';

import { leftNamespaces, leftSettings, pause, removeNetns } from './kit/hosts.ts';
import { leftFolders, leftPrograms, leftProbes } from './kit/leftovers.ts';
import { onPath, PREFIX } from './kit/programs.ts';

const lacking = ['ip', 'bpftool'].filter((name) => !onPath(name));
if (lacking.length > 0) assert.ok(process.env['CI'] !== 'true', `needs ${lacking.join(' and ')}`);

/** Runs as the last file of the suite: what its scenarios made is gone. */
describe('Nothing is left behind', { skip: process.getuid?.() !== 0 && 'nothing was made without root' }, () => {
  it('no network namespace', { skip: lacking.includes('ip') && 'needs ip' }, () => {
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

  it('no program of ours', async () => {
    assert.deepEqual(await settled(leftPrograms), []);
  });

  it('no eBPF program of the probe', { skip: lacking.includes('bpftool') && 'needs bpftool' }, async () => {
    assert.deepEqual(await settled(leftProbes), []);
  });

  it('no folder', () => {
    assert.deepEqual(leftFolders(), []);
  });

  it('no setting of the whole host', () => {
    assert.deepEqual(leftSettings(), []);
  });
});

/** The kernel takes a moment to end what was killed, and to free what it held. */
async function settled(left: () => string[]): Promise<string[]> {
  const deadline = Date.now() + 5000;
  while (left().length > 0 && Date.now() < deadline) await pause(250);
  return left();
}
