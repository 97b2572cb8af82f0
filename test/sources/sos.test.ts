import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { openCopy, openPair } from '../../src/bundle/copies.ts';
import { collectors } from '../../src/collectors/index.ts';
import type { Finding } from '../../src/rules/finding.ts';
import { evaluateRules } from '../../src/rules/engine.ts';
import { rules } from '../../src/rules/index.ts';
import { apart, copyTime, parseDate, parseUptime } from '../../src/sources/copy/clock.ts';
import { memoryTree, withLinks, type Kept } from '../../src/sources/copy/tree.ts';
import { parseNetstatCommand } from '../../src/sources/sos/counters.ts';
import { parseIpLinkCommand } from '../../src/sources/sos/links.ts';
import { namespacesIn } from '../../src/sources/sos/outputs.ts';
import { parseSsCommand } from '../../src/sources/sos/sockets.ts';
import { bytesOf, fixture } from '../support/fixture.ts';

const tree = (files: Readonly<Record<string, string | Kept>>): ReturnType<typeof memoryTree> =>
  memoryTree(
    new Map<string, Kept>(
      Object.entries(files).map(([name, content]) => [name, typeof content === 'string' ? bytesOf(content) : content]),
    ),
  );

function judged(files: Readonly<Record<string, string | Kept>>): readonly Finding[] {
  const copy = openCopy('sos', tree(files));
  assert.ok(copy.ok);
  return evaluateRules(copy.value.window(collectors), rules);
}

const named = (findings: readonly Finding[], code: string): Finding => {
  const finding = findings.find((each) => each.code === code);
  assert.ok(finding !== undefined, code);
  return finding;
};

describe('the commands of a sosreport', () => {
  it('name the socket that dropped, its process and what it lost since boot', () => {
    const findings = judged({
      'sos_commands/networking/netstat_-s': fixture('sos/netstat_-s'),
      'sos_commands/networking/ss_-peaonmi': fixture('sos/ss_-peaonmi'),
    });
    const udp = named(findings, 'PKT0405');
    assert.deepEqual([udp.outcome, udp.certainty], ['warning', 'possible']);
    assert.equal(udp.args['process'], 'collector (pid 4711)');
    const listen = named(findings, 'PKT0401');
    assert.deepEqual(
      [listen.outcome, listen.args['listener'], listen.args['process']],
      ['warning', '0.0.0.0:8080', 'node (pid 812)'],
    );
  });

  it('tell a queue that is full now without a counter', () => {
    const listen = named(judged({ 'sos_commands/networking/ss_-peaonmi': fixture('sos/ss_-peaonmi') }), 'PKT0401');
    assert.deepEqual([listen.outcome, listen.message, listen.args['waiting']], ['warning', 'full-now', 129]);
  });

  it('that an archive had too much of are said to be there, and not that nobody ran them', () => {
    const refused = 'longer than 16 MiB';
    const { missing } = named(judged({ 'sos_commands/networking/ss_-peaonmi': { refused } }), 'PKT0401');
    const reasons = missing.map(({ reason }) => reason);
    assert.ok(reasons.includes('sos_commands/networking/ss_-peaonmi: longer than 16 MiB'), reasons.join('; '));
  });

  it('are read in a namespace, beside the others and in a folder of its own', () => {
    const sick = 'cpu=0 found=0 invalid=0 insert=0 insert_failed=0 drop=9000 early_drop=0 error=0 search_restart=0\n';
    const nstat = '#kernel\nTcpExtListenOverflows 500 0.0\nTcpPassiveOpens 500 0.0\n';
    for (const folder of ['', 'namespaces/blue/']) {
      const findings = judged({
        'proc/net/netstat': 'TcpExt: ListenOverflows\nTcpExt: 0\n',
        'sos_commands/networking/ip_netns': 'blue (id: 0)\n',
        [`sos_commands/networking/${folder}ip_netns_exec_blue_nstat_-zas`]: nstat,
        'sos_commands/conntrack/ip_netns_exec_blue_conntrack_-S': sick,
      });
      const listen = findings.find(({ code, at }) => code === 'PKT0401' && at['netns'] === 'blue');
      assert.equal(listen?.outcome, 'warning', folder);
      assert.equal(listen.args['since'], 'since their namespace was made');
    }
  });

  it('are read in a namespace whose name is no name of a file: sos writes _ for what else it has', () => {
    const findings = judged({
      'sos_commands/networking/ip_netns': 'pod@1 (id: 0)\n',
      'sos_commands/networking/namespaces/pod@1/ip_netns_exec_pod_1_nstat_-zas':
        '#kernel\nTcpExtListenOverflows 500 0.0\nTcpPassiveOpens 500 0.0\n',
      'sos_commands/networking/ip_netns_exec_pod_1_ss_-peaonmi': fixture('sos/ss_-peaonmi'),
    });
    const sick = findings.filter(({ outcome }) => outcome === 'warning').map(({ code, at }) => [code, at['netns']]);
    assert.deepEqual(sick, [
      ['PKT0401', 'pod@1'],
      ['PKT0405', 'pod@1'],
    ]);
  });

  it('find namespaces by the list, by folders and by names of files', () => {
    const found = namespacesIn(
      tree({
        'sos_commands/networking/ip_netns': 'qrouter-1\nblue (id: 3)\n',
        'sos_commands/networking/namespaces/red/x': '1',
        'sos_commands/conntrack/ip_netns_exec_qdhcp_a_conntrack_-S': '1',
      }),
    );
    assert.deepEqual(found, ['qrouter-1', 'blue', 'red', 'qdhcp_a']);
  });

  it('say what a device lost by ethtool where ip does not', () => {
    const ip = fixture('copies/sos-facts-only-in-commands/sos_commands/networking/ip_-s_-d_link');
    const nic = named(
      judged({
        'sos_commands/networking/ip_-s_-d_link': ip,
        'sos_commands/networking/ethtool_-S_eth0': fixture('sos/ethtool_-S_eth0'),
        'sos_commands/networking/ethtool_-i_eth0': fixture('sos/ethtool_-i_eth0'),
      }),
      'PKT0501',
    );
    assert.deepEqual([nic.outcome, nic.args['lost'], nic.args['driver']], ['warning', 400_000, 'ixgbe']);
  });

  it('are parsed as they are printed', () => {
    const netstat = parseNetstatCommand(fixture('sos/netstat_-s'));
    assert.ok(netstat.ok);
    assert.match(
      netstat.value.get('/proc/net/netstat') ?? '',
      /^TcpExt: ListenOverflows ListenDrops TCPRcvQDrop TCPBacklogDrop\nTcpExt: 51234 51234 17 3\n$/,
    );
    const ss = parseSsCommand(fixture('sos/ss_-peaonmi'));
    assert.ok(ss.ok);
    assert.deepEqual(
      ss.value.inet.listeners.map(({ port, queue, limit, drops }) => [port, queue, limit, drops]),
      [
        [8080, 129, 128, 51234],
        [80, 0, 511, 0],
      ],
    );
    assert.deepEqual(
      ss.value.inet.slowReaders.map(({ unread }) => unread),
      [80000],
    );
    const missed = bytesOf(
      '2: ens1: <BROADCAST,UP> mtu 9000 qdisc mq state UP mode DEFAULT\n    link/ether 02:00:00:00:00:01 brd ff:ff:ff:ff:ff:ff\n' +
        '    RX:  bytes packets errors dropped  missed   mcast\n       900       10      0       5       7       0\n' +
        '    TX:  bytes packets errors dropped carrier collsns\n       800        9      0       0       0       0\n',
    );
    const links = parseIpLinkCommand(missed);
    assert.equal(links.ok && links.value.get('/sys/class/net/ens1/statistics/rx_missed_errors'), '7\n');
  });
});

describe('the time of a copy', () => {
  it('is read from date as different locales and versions print it', () => {
    const at = Date.UTC(2022, 1, 10, 9, 52, 10) / 1000;
    for (const line of [
      'Thu Feb 10 09:52:10 UTC 2022',
      'Thu 10 Feb 2022 09:52:10 AM UTC',
      'Thu Feb 10 10:52:10 CET 2022',
      'Thu, 10 Feb 2022 09:52:10 +0000',
      '2022-02-10T11:52:10+02:00',
    ]) {
      assert.deepEqual(parseDate(bytesOf(`${line}\n`)), { ok: true, value: at }, line);
    }
    for (const line of ['', 'no date', '99:99', 'Thu Feb 10 2022']) assert.ok(!parseDate(bytesOf(line)).ok, line);
  });

  it('since boot is read from uptime where nothing of the kernel tells', () => {
    for (const [line, seconds] of [
      [' 16:19:19 up 17:41,  2 users,  load average: 3.58, 3.27, 2.58', 63_660],
      [' 19:23:39 up 26 min,  0 users,  load average: 0.00, 0.01, 0.05', 1560],
      [' 11:00:01 up 40 days,  3:12,  1 user,  load average: 0.00, 0.01, 0.05', 3_467_520],
      ['11:00:01 up 1 day, 5 min,  1 user', 86_700],
    ] as const) {
      assert.deepEqual(parseUptime(bytesOf(`${line}\n`)), { ok: true, value: seconds });
    }
    for (const line of ['', 'up', 'up for long', 'up 9999999999 days, 1:00']) assert.ok(!parseUptime(bytesOf(line)).ok);
  });

  it('is not told of a host that was started anew, nor without any clock', () => {
    const time = (files: Readonly<Record<string, string>>): ReturnType<typeof copyTime> => copyTime(tree(files));
    const first = time({ 'proc/uptime': '500.00 1.00\n', 'proc/stat': 'cpu0 1 0 1 1\nbtime 1000\n' });
    const second = time({ 'proc/uptime': '900.00 1.00\n', 'proc/stat': 'cpu0 1 0 1 1\nbtime 90000\n' });
    assert.ok(!apart(first, second).ok);
    assert.ok(!apart(time({ 'proc/net/dev': 'x' }), time({ 'proc/net/dev': 'x' })).ok);
    const pair = openPair('x', [tree({ 'proc/uptime': '9.00 1.00\n' }), tree({ 'proc/uptime': '8.00 1.00\n' })]);
    assert.ok(!pair.ok && /not later than the first/.test(pair.reason));
  });
});

describe('a tree in memory', () => {
  it('follows links within it and none that leads out', () => {
    const files = new Map<string, Kept>([
      ['proc/net', { link: 'self/net' }],
      ['proc/self', { link: '42' }],
      ['proc/42/net/dev', bytesOf('x')],
      ['out', { link: '../../etc/passwd' }],
      ['absolute', { link: '/etc/passwd' }],
      ['loop', { link: 'loop' }],
      ['sys/class/net/eth0', bytesOf('../../devices/pci0/net/eth0')],
      ['sys/devices/pci0/net/eth0/flags', bytesOf('0x1003\n')],
    ]);
    const plain = memoryTree(files);
    assert.ok(plain.read('/proc/net/dev').ok);
    for (const path of ['/out', '/absolute', '/loop', '/../x', 'x', '/a\0b']) assert.ok(!plain.read(path).ok, path);
    const linked = withLinks(plain);
    assert.ok(linked.read('/sys/class/net/eth0/flags').ok);
    assert.deepEqual(linked.link('/sys/class/net/eth0'), { ok: true, value: '../../devices/pci0/net/eth0' });
    assert.deepEqual(linked.list('/sys/class/net/eth0'), { ok: true, value: ['flags'] });
  });
});

describe('why there is no window between two copies', () => {
  const made = (files: Readonly<Record<string, string>>): ReturnType<typeof copyTime> => copyTime(tree(files));
  const cpus = (seconds: number, btime: number): string =>
    `cpu  1 0 1 1 0 0 0 0 0 0\ncpu0 0 0 0 ${seconds * 100} 0 0 0 0 0 0\nbtime ${btime}\n`;
  const why = (first: Readonly<Record<string, string>>, second: Readonly<Record<string, string>>): string => {
    const between = apart(made(first), made(second));
    return between.ok ? `${between.value.seconds} s by ${between.value.by}` : between.reason;
  };
  const up = (seconds: number): Readonly<Record<string, string>> => ({ 'proc/uptime': `${seconds}.00 1.00\n` });
  const said = (date: string): Readonly<Record<string, string>> => ({ 'sos_commands/date/date': `${date}\n` });
  const id = (boot: string): Readonly<Record<string, string>> => ({ 'proc/sys/kernel/random/boot_id': `${boot}\n` });

  it('is a start of the host in between where its clock went on and its uptime did not', () => {
    const late = said('Thu Feb 10 09:52:10 UTC 2022');
    const early = said('Thu Feb 10 09:12:10 UTC 2022');
    assert.match(
      why({ ...up(90_000), ...early }, { ...up(600), ...late }),
      /started anew between the two copies.*up for 25 hours .* 10 minutes/,
    );
    assert.match(
      why({ 'proc/stat': cpus(90_000, 1_700_000_000), ...early }, { 'proc/stat': cpus(600, 1_700_093_000), ...late }),
      /started anew/,
    );
    assert.match(
      why({ 'proc/stat': cpus(90_000, 1_700_000_000) }, { 'proc/stat': cpus(600, 1_700_093_000) }),
      /started anew/,
    );
    assert.match(
      why({ 'proc/stat': cpus(90, 1_700_000_000) }, { 'proc/stat': cpus(600, 1_700_000_500) }),
      /started anew/,
    );
  });

  it('is a start of the host whatever the zone in which its date is told', () => {
    // 1,700,000,000 and an hour is 23:13:20 UTC; nobody here knows the zone, and takes it for UTC.
    const early = said('Wed Nov 15 08:13:20 JST 2023');
    const late = said('Wed Nov 15 13:13:20 JST 2023');
    assert.match(
      why(
        { 'proc/stat': cpus(3600, 1_700_000_000), ...up(3600), ...early },
        { 'proc/stat': cpus(14_400, 1_700_007_200), ...up(14_400), ...late },
      ),
      /started anew/,
    );
  });

  it('is the boot id, whatever the clocks say', () => {
    assert.match(why({ ...up(90), ...id('a1') }, { ...up(600), ...id('b2') }), /started anew/);
    assert.match(
      why({ ...up(90), 'sos_commands/kernel/sysctl_-a': 'kernel.random.boot_id = a1\n' }, { ...up(600), ...id('b2') }),
      /started anew/,
    );
    assert.equal(why({ ...up(90), ...id('a1') }, { ...up(600), ...id('a1') }), '510 s by /proc/uptime');
  });

  it('is the order where the clock went back as well', () => {
    const late = said('Thu Feb 10 09:52:10 UTC 2022');
    const early = said('Thu Feb 10 09:12:10 UTC 2022');
    assert.match(
      why({ ...up(9000), ...late }, { ...up(6600), ...early }),
      /made before the first.*give them in the other order/,
    );
    assert.match(why({ ...up(9000), ...id('a1') }, { ...up(6600), ...id('a1') }), /made before the first/);
  });

  it('is either where only the uptime is known', () => {
    assert.match(
      why(up(9000), up(600)),
      /was up for 2\.5 hours .* 10 minutes .*started anew in between, or they are in the wrong order/,
    );
    assert.match(why(up(600), up(600)), /same time/);
  });

  it('is none where the clock was set meanwhile', () => {
    assert.equal(
      why({ 'proc/stat': cpus(1000, 1_700_000_000) }, { 'proc/stat': cpus(1600, 1_700_000_300) }),
      '600 s by the CPU times of /proc/stat',
    );
  });
});
