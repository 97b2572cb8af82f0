import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';

import { Redaction } from '../../src/bundle/redact.ts';
import { Tokens } from '../../src/bundle/tokens.ts';
import { bundleOf, type RecordedRun } from '../../src/jobs/bundle.ts';
import { renderJson } from '../../src/report/json.ts';
import { replay } from '../../src/jobs/replay.ts';
import { contentOf, recordFake, writeBundle, type FakeSample } from '../support/bundle.ts';

const folder = mkdtempSync(join(tmpdir(), 'pktcost-redact-'));
after(() => {
  rmSync(folder, { recursive: true, force: true });
});

const stat = (pid: number, comm: string, kernelThread = false): string =>
  `${pid} (${comm}) S 2 0 0 0 -1 ${kernelThread ? 0x00200000 : 0} 0 0 0 0 10 20 0 0 20 0 1 0 5 0 0 18446744073709551615 0 0 0 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0\n`;

const netdev = (device: string): string =>
  `Inter-|   Receive                                                |  Transmit\n face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n${device}: 1 2 0 0 0 0 0 0 3 4 0 0 0 0 0 0\n`;

const dmi = Buffer.concat([
  Buffer.from([1, 27, 1, 0, 1, 2, 3, 4]),
  Buffer.from('00112233445566778899aabbccddeeff', 'hex'),
  Buffer.from([6, 5, 6]),
  Buffer.from('ACME\0Model-9\0SN-SECRET-77\0\0'),
  Buffer.from([127, 4, 2, 0, 0, 0]),
]);

const header =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n';

const group = '/sys/fs/cgroup/user.slice/user-1000.slice/joes-web.service/docker-c0ffee00.scope';

/** A host that shows every kind of thing that redaction is for. */
const host: FakeSample = {
  files: {
    '/proc/sys/kernel/hostname': 'payroll-db7.corp.example\n',
    '/proc/sys/kernel/domainname': 'secret-domain.example\n',
    '/proc/sys/kernel/osrelease': '6.12.1\n',
    '/proc/1/stat': stat(1, 'systemd'),
    '/proc/2/stat': stat(2, 'ksoftirqd/0', true),
    '/proc/4711/stat': stat(4711, 'acme-payd (x)'),
    '/proc/5000/stat': stat(5000, 'qemu-joes-vm'),
    '/proc/53/task/53/stat': stat(53, 'dnsmasq-corp'),
    '/proc/53/task/53/syscall': '0 0x5 0x0 0x0 0x0 0x0 0x0 0x7ffe 0x7f00\n',
    '/proc/53/fd/5': '-> /srv/invoices-2026/in.fifo',
    '/proc/53/cgroup':
      '12:name=elogind-corp:/secret-tree\n0::/user.slice/user-1000.slice/joes-web.service/docker-c0ffee00.scope\n',
    '/proc/sys/kernel/arch': 'x86_64\n',
    '/proc/self/mountinfo':
      '24 30 0:22 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n' +
      '96 30 0:4 net:[4026532289] /run/netns/customer-acme rw shared:50 - nsfs nsfs rw\n' +
      '97 30 0:60 / /mnt/invoicess rw shared:51 - nfs4 filer3.acme-intern:/vol/invoicess rw,addr=10.51.214.20\n',
    [`${group}/cgroup.procs`]: '53\n',
    [`${group}/cpu.max`]: '20000 100000\n',
    [`${group}/cpu.stat`]: 'usage_usec 5\nnr_periods 50\nnr_throttled 40\nthrottled_usec 900000\n',
    [`${group}/memory.max`]: '1000000\n',
    [`${group}/memory.events`]: 'low 0\nhigh 0\nmax 7\noom 0\noom_kill 0\n',
    '/proc/net/dev_mcast': '2    enx001122aabbcc 1     0     333300feedbeef\n',
    '/proc/net/igmp':
      'Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n9\tother     :     1      V3\n\t\t\t\tFB0000E0     1 0:00000000\t\t0\n',
    '/proc/net/packet':
      'sk       RefCnt Type Proto  Iface R Rmem   User   Inode\n0000000000000000 3      3    0003   2     1 0      0      777\n',
    '/proc/net/ptype': 'Type Device      Function\nALL  enx001122aabbcc packet_rcv\n',
    '/proc/net/tcp': `${header}   0: 14D6330A:0016 0A0B640A:C350 01 00000000:00000005 00:00000000 00000000     0        0 4242 1 0 20 4 30 10 -1\n`,
    '/proc/net/udp': `${header}  12: 14D6330A:0035 00000000:0000 07 00000000:00000000 00:00000000 00000000   101        0 4343 2 0 9\n`,
    '/proc/net/udp6': `${header}  13: B80D0120EFBEADDE00000000CDAB0000:0035 00000000000000000000000000000000:0000 07 00000000:00000000 00:00000000 00000000   101        0 4444 2 0 7\n`,
    '/sys/class/net/enx001122aabbcc': '-> ../../devices/virtual/net/enx001122aabbcc',
    '/sys/class/net/enx001122aabbcc/flags': '0x1003\n',
    '/sys/class/net/enx001122aabbcc/ifindex': '2\n',
    '/sys/firmware/dmi/tables/DMI': dmi,
  },
  dumps: {
    socket_owners: {
      owners: [
        { inode: 777, pid: 4711, comm: 'acme-payd (x)' },
        { inode: 4343, pid: 53, comm: 'dnsmasq-corp' },
      ],
      unreadable: 0,
    },
  },
  namespaces: {
    'customer-acme': {
      files: {
        '/proc/net/sockstat': 'sockets: used 3\n',
        '/proc/net/dev': netdev('wlx0a1b2c3d4e5f'),
      },
      dumps: {
        inet_diag: {
          listeners: [{ family: 'v4', address: '10.51.214.20', port: 80, inode: 9, queue: 5, limit: 5, drops: 3 }],
          udp: [],
          slowReaders: [
            {
              family: 'v6',
              address: '2a02:8109:1::77',
              port: 443,
              inode: 8,
              peer: '[2a02:8109:1::99]:5000',
              unread: 10,
            },
            { family: 'v6', address: '::ffff:10.51.214.20', port: 1, inode: 7, peer: '198.18.7.7:1', unread: 10 },
          ],
          slowReadersSkipped: null,
        },
      },
    },
  },
};

const originals: readonly string[] = [
  'payroll-db7',
  'corp.example',
  'secret-domain',
  'systemd',
  'acme-payd',
  'dnsmasq-corp',
  'joes-vm',
  'customer-acme',
  '10.51.214.20',
  '14D6330A',
  '0A33D614',
  '10.100.11.10',
  '0A0B640A',
  '198.18.7.7',
  '2a02:8109',
  'B80D0120EFBEADDE',
  'FB0000E0',
  '001122aabbcc',
  '0a1b2c3d4e5f',
  '333300feedbeef',
  '00112233445566778899aabbccddeeff',
  'SN-SECRET-77',
  'Model-9',
  '/home/joe',
  'joes-web',
  'c0ffee00',
  'filer3',
  'invoices',
  'secret-tree',
  'elogind-corp',
];

function content(change: Partial<RecordedRun> = {}): RecordedRun {
  return contentOf(recordFake(host, 50), recordFake(host, 60), { redact: true, ...change });
}

describe('redaction', () => {
  it('leaves no original in any member, binary ones included, nor in a name', async () => {
    const plain = Buffer.concat(bundleOf(content({ redact: false })).members.map(({ bytes }) => Buffer.from(bytes)));
    const path = join(folder, 'redacted.tar.gz');
    await writeBundle(path, content());
    const tar = gunzipSync(readFileSync(path));
    for (const original of originals) {
      const forms = [Buffer.from(original), Buffer.from(original.toLowerCase()), Buffer.from(original.toUpperCase())];
      if (/^(?:[0-9a-f]{2}){4,}$/i.test(original)) forms.push(Buffer.from(original, 'hex'));
      assert.ok(
        forms.some((form) => plain.includes(form)) ||
          ['10.100.11.10', '0A33D614', 'B80D0120EFBEADDE'].includes(original),
        `${original} is in the bundle that is not redacted`,
      );
      for (const form of forms) assert.equal(tar.indexOf(form), -1, `${original} is in the redacted one`);
    }
  });

  it('still replays to the verdict it holds', async () => {
    const path = join(folder, 'replayed.tar.gz');
    const given = content();
    await writeBundle(path, given);
    const { report, notes } = await replay(path, '0.1.0');
    assert.deepEqual(notes, []);
    const inside = bundleOf(given);
    assert.ok(inside.members.length > 10);
    assert.deepEqual(
      report.findings.map(({ code, outcome }) => `${code} ${outcome}`).sort(),
      given.report?.findings.map(({ code, outcome }) => `${code} ${outcome}`).sort(),
      'names are no part of the judgement',
    );
    assert.doesNotMatch(renderJson(report), /acme|payroll/);
  });

  it('keeps evidence joined: the same original has the same token in every form', () => {
    const { members } = bundleOf(content());
    const textOf = (name: string): string =>
      Buffer.from(members.find((each) => each.name === name)?.bytes ?? []).toString('latin1');
    const owners = textOf('after/dumps/socket-owners.json');
    const comm = /"pid": 4711,\n\s+"comm": "([^"]+)"/.exec(owners)?.[1] ?? 'none';
    assert.match(comm, /^proc-[0-9a-f]{8}$/);
    assert.ok(textOf('after/proc/4711/stat').includes(`(${comm})`));
    assert.ok(textOf('before/proc/4711/stat').includes(`(${comm})`));
    const hex = / 0: ([0-9A-F]{8}):0016/.exec(textOf('after/proc/net/tcp'))?.[1] ?? '';
    const dotted = Buffer.from(hex, 'hex').reverse().join('.');
    const inside = members.find(({ name }) => /^after\/netns\/netns-[0-9a-f]{8}\/dumps\/inet-diag\.json$/.test(name));
    const diag = Buffer.from(inside?.bytes ?? []).toString();
    assert.ok(diag.includes(`"address": "${dotted}"`), `${dotted} in ${diag}`);
    assert.ok(diag.includes(`"::ffff:${dotted}"`), 'also where IPv6 wraps it');
    assert.equal(Number(dotted.split('.')[0]) >= 240, true, 'an address that nobody has');
    assert.match(textOf('after/proc/5000/stat'), /\(qemu-[0-9a-f]{8}\)/);
    assert.match(textOf('after/proc/2/stat'), /\(ksoftirqd\/0\)/, 'the name of a kernel thread stays');
  });

  it('still knows the control group of a process, what bounds it, and what kind of unit it is', () => {
    const { members } = bundleOf(content());
    const textOf = (name: string): string =>
      Buffer.from(members.find((each) => each.name === name)?.bytes ?? []).toString();
    const path = /^0::(\S+)$/m.exec(textOf('after/proc/53/cgroup'))?.[1] ?? 'none';
    const token = 'cgroup-[0-9a-f]{8}';
    assert.match(path, new RegExp(`^/user.slice/user-1000.slice/${token}.service/${token}.scope$`));
    assert.match(textOf(`after/sys/fs/cgroup${path}/cpu.max`), /^20000 100000/);
    assert.equal(
      textOf('after/proc/self/mountinfo').trim(),
      '0 0 0:0 / /sys/fs/cgroup rw - cgroup2 cgroup rw,nsdelegate',
    );
  });

  it('gives other tokens in another bundle', () => {
    assert.notEqual(new Tokens().process('nginx'), new Tokens().process('nginx'));
    const tokens = new Tokens();
    assert.equal(tokens.process('nginx'), tokens.process('nginx'));
    assert.notEqual(tokens.process('nginx'), tokens.host('nginx'));
  });

  it('knows addresses in any text, and lets be what only looks like one', () => {
    const tokens = new Tokens();
    for (const kept of [
      '0000:00:1f.2',
      'pci0000:00/0000:00:03.0',
      '12:34:56',
      '1.2.3',
      '1.2.3.4.5',
      '999.1.1.1',
      '127.0.0.1',
      '0.0.0.0',
      '::1',
      '[::]:80',
      'ff:ff:ff:ff:ff:ff',
      'std::vector',
    ]) {
      assert.equal(tokens.addresses(kept), kept);
    }
    for (const [text, pattern] of [
      ['from 192.0.2.7:80 on', /^from 2[45]\d\.\d+\.\d+\.\d+:80 on$/],
      ['[2001:67c:2e8::1]:53', /^\[2001:db8:[0-9a-f:]+\]:53$/],
      ['fe80::1%eth0', /^2001:db8:[0-9a-f:]+%eth0$/],
      ['aa:bb:cc:00:11:22', /^02(?::[0-9a-f]{2}){5}$/],
      ['10.0.0.0/8', /^2[45]\d\.\d+\.\d+\.\d+\/8$/],
    ] as const) {
      const once = tokens.addresses(text);
      assert.match(once, pattern);
      assert.equal(tokens.addresses(once), once, 'a token stays what it is');
    }
  });
});

describe('the command line of a redacted bundle', () => {
  it('keeps no name that is glued to its flag', () => {
    const said = new Redaction([]).commandLine([
      'diagnose',
      '-ozzfile',
      '-izzeth0',
      '--output=zzfile',
      '-w',
      '5s',
      '--json',
    ]);
    assert.deepEqual([said[0], ...said.slice(4)], ['diagnose', '-w', '5s', '--json']);
    assert.doesNotMatch(said.join(' '), /zz/);
  });
});
