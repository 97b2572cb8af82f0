import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import { HOST_ROOTS, liveReader } from '../../src/sources/live-reader.ts';
import { answersWithoutLoading } from '../../src/sources/dumps/modules.ts';
import { parseAuxv } from '../../src/sources/sysconf.ts';
import { lacking } from '../support/needs.ts';
import { fakeReader } from '../support/reader.ts';

const directory = mkdtempSync(join(tmpdir(), 'pktcost-live-'));
const roots = { procfs: join(directory, 'proc'), sysfs: join(directory, 'sys/'), rootfs: join(directory, 'root') };
for (const root of Object.values(roots)) mkdirSync(root);
after(() => {
  rmSync(directory, { recursive: true });
});

function textOf(reader: ReturnType<typeof liveReader>, path: string): string {
  const read = reader.read(path);
  assert.ok(read.ok, read.ok ? '' : read.reason);
  return Buffer.from(read.value).toString();
}

function reasonOf(result: { readonly ok: boolean; readonly reason?: string }): string {
  assert.ok(!result.ok);
  return result.reason ?? '';
}

describe('live reader', () => {
  it('maps /proc, /sys and the rest to their roots', () => {
    for (const root of Object.values(roots)) writeFileSync(join(root, 'here'), root);
    const reader = liveReader(roots);
    assert.equal(textOf(reader, '/proc/here'), roots.procfs);
    assert.equal(textOf(reader, '/sys/here'), roots.sysfs);
    assert.equal(textOf(reader, '/here'), roots.rootfs);
  });

  it('reads files of /proc whole though they have no size, and says when', () => {
    const reader = liveReader(HOST_ROOTS);
    const before = Number(process.hrtime.bigint()) / 1e9;
    assert.match(textOf(reader, '/proc/stat'), /^cpu /);
    assert.ok(reader.lastReadAt >= before && reader.lastReadAt <= Number(process.hrtime.bigint()) / 1e9);
    assert.match(textOf(reader, '/sys/devices/system/cpu/possible'), /^0/);
  });

  it('hands out bytes that a later read does not change', () => {
    writeFileSync(join(roots.procfs, 'one'), 'one');
    writeFileSync(join(roots.procfs, 'two'), 'two');
    const reader = liveReader(roots);
    const one = reader.read('/proc/one');
    reader.read('/proc/two');
    assert.ok(one.ok);
    assert.equal(Buffer.from(one.value).toString(), 'one');
  });

  it('says what the host refuses in words with the code', () => {
    const reader = liveReader(roots);
    symlinkSync('turning', join(roots.procfs, 'turning'));
    assert.equal(reasonOf(reader.read('/proc/nothing')), 'no such file or directory (ENOENT)');
    assert.equal(reasonOf(reader.read('/proc/one/more')), 'not a directory (ENOTDIR)');
    assert.equal(reasonOf(reader.read('/proc')), 'is a directory (EISDIR)');
    assert.equal(reasonOf(reader.read('/proc/turning')), 'too many levels of symbolic links (ELOOP)');
    assert.equal(reasonOf(reader.list('/sys/nothing')), 'no such file or directory (ENOENT)');
    assert.equal(reasonOf(reader.link('/proc/one')), 'invalid argument (EINVAL)');
  });

  it('does not read a file beyond its bound, nor wait for a FIFO', () => {
    const reader = liveReader(roots);
    writeFileSync(join(roots.procfs, 'huge'), '');
    truncateSync(join(roots.procfs, 'huge'), 64 * 1024 * 1024);
    assert.ok(reader.read('/proc/huge').ok);
    truncateSync(join(roots.procfs, 'huge'), 64 * 1024 * 1024 + 1);
    assert.equal(reasonOf(reader.read('/proc/huge')), 'longer than 64 MiB');
    execFileSync('mkfifo', [join(roots.procfs, 'fifo')]);
    assert.equal(reasonOf(reader.read('/proc/fifo')), 'a pipe, not a file');
  });

  it('stays inside its roots', () => {
    const reader = liveReader(roots);
    for (const path of ['/proc/../sys/here', '/sys/class/net/..', 'proc/here', '/proc/a\0b']) {
      assert.equal(reasonOf(reader.read(path)), 'not a path on the host', path);
    }
    writeFileSync(join(roots.procfs, 'a..b'), 'fine');
    assert.equal(textOf(reader, '/proc/a..b'), 'fine');
  });

  it('lists names in order and keeps no descriptor open', () => {
    mkdirSync(join(roots.sysfs, 'net'));
    for (const name of ['eth1', 'br0', 'eth0']) writeFileSync(join(roots.sysfs, 'net', name), '');
    const reader = liveReader(roots);
    const before = readdirSync('/proc/self/fd').length;
    for (let round = 0; round < 20; round += 1) {
      assert.deepEqual(reader.list('/sys/net'), { ok: true, value: ['br0', 'eth0', 'eth1'] });
      reader.read('/proc/nothing');
      reader.read('/proc');
      reader.read('/sys/net/eth0');
    }
    assert.equal(readdirSync('/proc/self/fd').length, before);
  });

  it('answers for a copied /proc only what it can know', () => {
    const reader = liveReader(roots);
    assert.equal(reasonOf(reader.dump('packet_diag')), 'needs the live host');
    assert.equal(reasonOf(reader.dump('inet_diag')), 'needs the live host');
    assert.ok(reader.dump('sysconf').ok);
  });

  it('finds page size and clock ticks in the auxiliary vector, or says that they are not there', () => {
    assert.ok(liveReader(HOST_ROOTS).dump('sysconf').ok);
    const vector = new BigUint64Array([6n, 65536n, 17n, 100n, 0n, 0n]);
    assert.deepEqual(parseAuxv(new Uint8Array(vector.buffer)), {
      ok: true,
      value: { pageSize: 65536, clockTicks: 100 },
    });
    assert.ok(!parseAuxv(new Uint8Array(vector.buffer, 0, 24)).ok);
    assert.ok(!parseAuxv(new Uint8Array()).ok);
  });

  it('reads what root may not be refused as nobody', { skip: lacking({ root: true }) }, () => {
    writeFileSync(join(roots.procfs, 'secret'), 'x');
    chmodSync(join(roots.procfs, 'secret'), 0o000);
    chmodSync(directory, 0o755);
    process.seteuid?.(65534);
    try {
      assert.equal(reasonOf(liveReader(roots).read('/proc/secret')), 'permission denied (EACCES)');
    } finally {
      process.seteuid?.(0);
    }
  });
});

describe('kernel modules', () => {
  const modular = { '/proc/modules': 'veth 1 0 - Live 0x0\n', '/proc/sys/kernel/modprobe': '/sbin/modprobe\n' };
  const ask = (files: Record<string, string>) =>
    answersWithoutLoading(fakeReader({ files }), ['inet_diag', 'udp_diag']);

  it('asks only when nothing would be loaded for it', async () => {
    const { release } = await import('node:os');
    const builtin = `/lib/modules/${release()}/modules.builtin`;
    assert.ok(ask({}).ok, 'a kernel without modules');
    assert.ok(ask({ ...modular, '/sys/module/inet_diag/refcnt': '1', '/sys/module/udp_diag/refcnt': '0' }).ok);
    assert.ok(ask({ ...modular, [builtin]: 'kernel/net/ipv4/inet_diag.ko\nkernel/net/ipv4/udp_diag.ko\n' }).ok);
    assert.ok(ask({ ...modular, '/proc/sys/kernel/modprobe': '\n' }).ok, 'loading is off');
    assert.equal(
      reasonOf(ask({ ...modular, '/sys/module/inet_diag/refcnt': '1' })),
      'udp_diag is not loaded; loading it needs --allow-system-changes',
    );
  });
});
