import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { runCollector } from '../../src/collectors/collector.ts';
import { ownersOf } from '../../src/collectors/owners.ts';
import {
  acceptQueue,
  listenerDrops,
  packetSocket,
  socketOwner,
  socketOwnerCpu,
  udpSocketDrops,
} from '../../src/metrics/catalogue/index.ts';
import { ok } from '../../src/base/result.ts';
import { Snapshot } from '../../src/metrics/snapshot.ts';
import { fakeReader, valuesOf } from '../support/reader.ts';

function found(): Snapshot {
  const snapshot = new Snapshot('2026-01-01T00:00:00.000Z', 0);
  const at = (inode: number): Record<string, string> => ({ inode: `${inode}` });
  snapshot.add(packetSocket, at(10), 1, 0);
  snapshot.add(packetSocket, { ...at(11), netns: 'pod' }, 1, 0);
  snapshot.add(udpSocketDrops, at(12), 5, 0);
  snapshot.add(acceptQueue, at(13), 0, 0);
  snapshot.add(listenerDrops, at(13), 0, 0);
  snapshot.add(listenerDrops, at(14), 3, 0);
  return snapshot;
}

/** Runs the collector and tells which sockets it asked about. */
function run(snapshot: Snapshot, answer: unknown, files: Readonly<Record<string, string>> = {}): readonly number[] {
  let asked: readonly number[] = [];
  const reader = fakeReader({ files });
  runCollector(
    ownersOf(snapshot),
    {
      ...reader,
      dump: (_name, inodes = []) => {
        asked = inodes;
        return ok(answer);
      },
    },
    snapshot,
  );
  return asked;
}

describe('owners collector', () => {
  it('asks about the sockets that matter, in every namespace, and about quiet listeners while they are few', () => {
    const snapshot = found();
    const asked = run(snapshot, {
      owners: [
        { inode: 10, pid: 700, comm: 'tcpdump' },
        { inode: 14, pid: 80, comm: 'nginx' },
        { inode: 14, pid: 81, comm: 'nginx' },
      ],
      unreadable: 0,
    });
    assert.deepEqual(asked, [10, 11, 12, 13, 14]);
    assert.deepEqual(Object.keys(valuesOf(snapshot, socketOwner)), [
      'comm=tcpdump,inode=10,pid=700',
      'comm=nginx,inode=14,pid=80',
      'comm=nginx,inode=14,pid=81',
    ]);
    assert.equal(snapshot.collector('owners')?.status, 'ok', 'sockets 11 and 12 are the kernel’s own');
  });

  it('says that an owner may be hidden when processes could not be looked into', () => {
    const snapshot = found();
    run(snapshot, { owners: [], unreadable: 42 });
    assert.equal(snapshot.collector('owners')?.status, 'unavailable');
    assert.match(snapshot.collector('owners')?.gaps[0]?.reason ?? '', /owner of 5 sockets not found: 42 processes/);
  });

  it('tells the CPU of holders of one thread, and of no others', () => {
    const snapshot = found();
    const stat = (comm: string, threads: number, cpu: number): string =>
      `1 (${comm}) S 1 1 1 0 -1 4194304 0 0 0 0 5 5 0 0 20 0 ${threads} 0 100 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 17 ${cpu} 0 0\n`;
    const owners = [
      { inode: 12, pid: 700, comm: 'reader' },
      { inode: 14, pid: 80, comm: 'server' },
    ];
    run(
      snapshot,
      { owners, unreadable: 0 },
      { '/proc/700/stat': stat('reader', 1, 3), '/proc/80/stat': stat('server', 8, 2) },
    );
    assert.deepEqual(valuesOf(snapshot, socketOwnerCpu), { 'cpu=3,inode=12,pid=700': 1 });
  });

  it('does not look at the host when no socket matters', () => {
    const snapshot = new Snapshot('2026-01-01T00:00:00.000Z', 0);
    runCollector(ownersOf(snapshot), fakeReader({}), snapshot);
    assert.equal(snapshot.collector('owners')?.status, 'ok');
  });
});
