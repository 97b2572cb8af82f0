import assert from 'node:assert/strict';
import { mkdtempSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';

import { copyReader } from '../../src/sources/copy/reader.ts';
import { folderTree, memoryTree, withLinks, type Kept, type Tree } from '../../src/sources/copy/tree.ts';
import { bytesOf } from '../support/fixture.ts';

/** The names that were listed, of all folders together: what grows with the square of the devices, if each asks for all. */
function counting(tree: Tree): { readonly tree: Tree; readonly listed: () => number } {
  let listed = 0;
  return {
    listed: () => listed,
    tree: {
      ...tree,
      list: (path) => {
        const names = tree.list(path);
        listed += names.ok ? names.value.length : 0;
        return names;
      },
    },
  };
}

describe('a copy with very many devices', () => {
  const devices = Array.from({ length: 1000 }, (_, index) => `veth${index}`);
  const files = new Map<string, Kept>(
    devices.flatMap((device) => [
      [`sys/class/net/${device}`, { link: `../../devices/virtual/net/${device}` }] as const,
      [`sys/devices/virtual/net/${device}/mtu`, bytesOf('1500\n')] as const,
      [`proc/sys/net/ipv4/conf/${device}/rp_filter`, bytesOf('0\n')] as const,
    ]),
  );

  it('is not listed again for every link and every file that is missing', () => {
    const { tree, listed } = counting(memoryTree(files));
    const reader = copyReader(withLinks(tree), 0);
    for (const device of devices) {
      assert.deepEqual(reader.link(`/sys/class/net/${device}`), {
        ok: true,
        value: `../../devices/virtual/net/${device}`,
      });
      assert.equal(reader.link(`/sys/class/net/${device}/device`).ok, false);
      assert.equal(reader.read(`/proc/sys/net/ipv4/conf/${device}-gone`).ok, false);
    }
    assert.equal(listed(), 0);
  });

  it('tells a folder from a file and from nothing, in memory and on disk', () => {
    const root = mkdtempSync(join(tmpdir(), 'pktcost-copy-'));
    try {
      mkdirSync(join(root, 'sys/devices/virtual/net/eth0'), { recursive: true });
      mkdirSync(join(root, 'sys/class/net'), { recursive: true });
      writeFileSync(join(root, 'sys/devices/virtual/net/eth0/mtu'), '1500\n');
      symlinkSync('../../devices/virtual/net/eth0', join(root, 'sys/class/net/eth0'));
      const kept = new Map<string, Kept>([
        ['sys/devices/virtual/net/eth0/mtu', bytesOf('1500\n')],
        ['sys/class/net/eth0', { link: '../../devices/virtual/net/eth0' }],
      ]);
      for (const tree of [folderTree(root), memoryTree(kept)].flatMap((each) => [each, withLinks(each)])) {
        const asked = ['/sys/class/net', '/sys/class/net/eth0', '/sys/class/net/eth0/mtu', '/sys/class/net/eth1'];
        assert.deepEqual(
          asked.map((path) => tree.folder(path)).map((answer) => (answer.ok ? 'folder' : answer.errno)),
          ['folder', 'folder', 'ENOTDIR', 'ENOENT'],
        );
      }
    } finally {
      rmSync(root, { recursive: true });
    }
  });
});
