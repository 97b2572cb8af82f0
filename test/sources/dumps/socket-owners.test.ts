import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import { socketOwners } from '../../../src/sources/dumps/socket-owners.ts';

const procfs = mkdtempSync(join(tmpdir(), 'pktcost-owners-'));
after(() => {
  rmSync(procfs, { recursive: true });
});

function process(pid: number, comm: string, links: Record<string, string>): void {
  mkdirSync(join(procfs, `${pid}`, 'fd'), { recursive: true });
  writeFileSync(join(procfs, `${pid}`, 'comm'), `${comm}\n`);
  for (const [fd, target] of Object.entries(links)) symlinkSync(target, join(procfs, `${pid}`, 'fd', fd));
}

process(1, 'init', { '0': '/dev/null', '7': 'anon_inode:[eventpoll]' });
process(700, 'tcpdump', { '3': 'socket:[5000]', '4': 'socket:[5000]', '5': 'pipe:[5000]' });
process(701, 'a (b) c', { '3': 'socket:[5000]', '4': 'socket:[77]', '5': 'socket:[500]' });
writeFileSync(join(procfs, 'uptime'), '1 1\n');

describe('socket owners', () => {
  it('names each process that holds a socket once, and no other', () => {
    assert.deepEqual(socketOwners(procfs)([5000, 77, 9]), {
      ok: true,
      value: {
        owners: [
          { inode: 5000, pid: 700, comm: 'tcpdump' },
          { inode: 5000, pid: 701, comm: 'a (b) c' },
          { inode: 77, pid: 701, comm: 'a (b) c' },
        ],
        unreadable: 0,
      },
    });
  });

  it('looks again when a descriptor is no longer what it was, or another socket is asked about', () => {
    process(800, 'first', { '3': 'socket:[600]' });
    const owners = socketOwners(procfs);
    assert.deepEqual(pids(owners([600])), [800]);
    process(801, 'second', { '9': 'socket:[600]' });
    assert.deepEqual(pids(owners([600])), [800], 'known and still true');
    unlinkSync(join(procfs, '800', 'fd', '3'));
    assert.deepEqual(pids(owners([600])), [801]);
    assert.deepEqual(pids(owners([600, 77])), [801, 701]);
  });

  it('does not look at all when nothing is asked', () => {
    assert.deepEqual(socketOwners('/nonexistent')([]), { ok: true, value: { owners: [], unreadable: 0 } });
    const none = socketOwners('/nonexistent')([1]);
    assert.ok(!none.ok && none.reason.includes('(ENOENT)'));
  });

  it('keeps no descriptor open', () => {
    socketOwners(procfs)([5000]);
    const before = readdirSync('/proc/self/fd').length;
    for (let round = 0; round < 10; round += 1) socketOwners(procfs)([5000]);
    assert.equal(readdirSync('/proc/self/fd').length, before);
  });
});

function pids(result: ReturnType<ReturnType<typeof socketOwners>>): readonly number[] {
  assert.ok(result.ok);
  return result.value.owners.map(({ pid }) => pid);
}
