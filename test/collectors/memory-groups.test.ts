import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { groupsAbove, parseCgroupMounts, parseCgroupPaths, placesOf } from '../../src/collectors/cgroups.ts';
import { parseLimit, parseMaxEvents } from '../../src/collectors/memory-groups.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe('control groups that bound the memory of sockets', () => {
  it('are found where version 1 and 2 are mounted', () => {
    const mounts = parseCgroupMounts(
      bytes(
        '30 23 0:26 / /sys/fs/cgroup/memory rw shared:9 - cgroup cgroup rw,memory\n' +
          '31 23 0:27 / /sys/fs/cgroup/cpu rw shared:9 - cgroup cgroup rw,cpu\n' +
          '32 23 0:28 / /sys/fs/cgroup/unified rw shared:9 - cgroup2 cgroup2 rw\n' +
          '33 23 0:29 / /mnt/memory rw shared:9 - cgroup cgroup rw,memory\n',
      ),
    );
    assert.ok(mounts.ok);
    const paths = parseCgroupPaths(bytes('9:memory:/docker/ab\n4:cpu,cpuacct:/other\n0::/system.slice/x.service\n'));
    assert.ok(paths.ok);
    const unified = { version: 2, at: '/sys/fs/cgroup/unified', path: '/system.slice/x.service' };
    assert.deepEqual(placesOf('memory', mounts.value, paths.value), [
      { version: 1, at: '/sys/fs/cgroup/memory', path: '/docker/ab' },
      unified,
    ]);
    assert.deepEqual(placesOf('cpu', mounts.value, paths.value), [
      { version: 1, at: '/sys/fs/cgroup/cpu', path: '/other' },
      unified,
    ]);
  });

  it('bound what is below them as well; a path out of the namespace names none', () => {
    assert.deepEqual(groupsAbove('/a/b/c'), ['/a/b/c', '/a/b', '/a']);
    assert.deepEqual([groupsAbove('/'), groupsAbove('/../x'), groupsAbove(undefined)], [[], [], []]);
  });

  it('have a limit, or none, and count what they refused', () => {
    assert.deepEqual(parseLimit(bytes('131072\n')), { ok: true, value: 131072 });
    assert.deepEqual(parseLimit(bytes('max\n')), { ok: true, value: Infinity });
    assert.equal(parseLimit(bytes('-1\n')).ok, false);
    assert.deepEqual(parseMaxEvents(bytes('low 0\nhigh 0\nmax 17\noom 0\n')), { ok: true, value: 17 });
    assert.equal(parseMaxEvents(bytes('low 0\n')).ok, false);
  });
});
