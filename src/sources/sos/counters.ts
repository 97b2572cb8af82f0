import { fail, ok, type Result } from '../../base/result.ts';
import { printedByAll } from '../../collectors/netstat.ts';
import { wholeOutput, wholeOutputLines } from './output.ts';
import type { Files } from './settings.ts';

/** Groups of counters as nstat writes them in front of a name, and the file each is from; longer ones first. */
const groups = [
  ['MPTcpExt', 'netstat'],
  ['TcpExt', 'netstat'],
  ['IpExt', 'netstat'],
  ['UdpLite6', 'snmp6'],
  ['Icmp6', 'snmp6'],
  ['Udp6', 'snmp6'],
  ['Ip6', 'snmp6'],
  ['IcmpMsg', 'snmp'],
  ['UdpLite', 'snmp'],
  ['Icmp', 'snmp'],
  ['Tcp', 'snmp'],
  ['Udp', 'snmp'],
  ['Ip', 'snmp'],
] as const;

interface Counter {
  readonly group: string;
  readonly name: string;
  readonly value: string;
}

/** Parses `nstat -zas`: `TcpExtListenOverflows 51234 0.0` a line, into the files that nstat reads. */
export function parseNstatCommand(bytes: Uint8Array): Result<Files> {
  const counters = wholeOutputLines(bytes).flatMap((line): Counter[] => {
    const [, name, value] = /^([A-Za-z]\w*) +(-?\d{1,20})(?: |$)/.exec(line) ?? [];
    const group = name === undefined ? undefined : groups.find(([front]) => name.startsWith(front))?.[0];
    if (name === undefined || group === undefined || value === undefined) return [];
    return [{ group, name: name.slice(group.length), value }];
  });
  return counters.length === 0 ? fail('no line of a counter') : ok(counterFiles(counters));
}

function counterFiles(counters: readonly Counter[]): Files {
  const files: Files = new Map();
  for (const [group, file] of groups) {
    const own = counters.filter((each) => each.group === group && each.name !== '');
    if (own.length === 0) continue;
    const path = `/proc/net/${file}`;
    const lines =
      file === 'snmp6'
        ? own.map(({ name, value }) => `${group}${name} ${value}\n`)
        : [
            `${group}: ${own.map(({ name }) => name).join(' ')}\n`,
            `${group}: ${own.map(({ value }) => value).join(' ')}\n`,
          ];
    files.set(path, `${files.get(path) ?? ''}${lines.join('')}`);
  }
  return files;
}

/** What `netstat -s` calls the counters that rules ask for, by section. Source: net-tools statistics.c. */
const phrases: Readonly<Record<string, readonly (readonly [RegExp, string])[]>> = {
  Tcp: [
    [/^(\d+) active connections? openings?$/, 'ActiveOpens'],
    [/^(\d+) passive connection openings?$/, 'PassiveOpens'],
    [/^(\d+) segments received$/, 'InSegs'],
    [/^(\d+) segments (?:send|sent) out$/, 'OutSegs'],
    [/^(\d+) segments retransmit+ed$/, 'RetransSegs'],
  ],
  Udp: [
    [/^(\d+) packets received$/, 'InDatagrams'],
    [/^(\d+) packets to unknown port received\.?$/, 'NoPorts'],
    [/^(\d+) packet receive errors$/, 'InErrors'],
    [/^(\d+) packets sent$/, 'OutDatagrams'],
    [/^(\d+) receive buffer errors$/, 'RcvbufErrors'],
    [/^(\d+) send buffer errors$/, 'SndbufErrors'],
  ],
  TcpExt: [
    [/^(\d+) times the listen queue of a socket overflowed$/, 'ListenOverflows'],
    [/^(\d+) SYNs to LISTEN sockets (?:dropped|ignored)$/, 'ListenDrops'],
    [/^(\d+) packets pruned from receive queue because of socket buffer overrun$/, 'PruneCalled'],
    [/^(\d+) packets pruned from receive queue$/, 'RcvPruned'],
    [/^(\d+) packets dropped from out-of-order queue because of socket buffer overrun$/, 'OfoPruned'],
    [/^TCP ran low on memory (\d+) times$/, 'TCPMemoryPressures'],
    [/^(\d+) connections aborted due to memory pressure$/, 'TCPAbortOnMemory'],
    [/^(\d+) other TCP timeouts$/, 'TCPTimeouts'],
    [/^(\d+) retransmits lost$/, 'TCPLostRetransmit'],
  ],
};

/** Of these there is a sentence even where they are zero. */
const spoken = ['PassiveOpens', 'InSegs', 'OutSegs'];

/** Parses `netstat -s`: sections of sentences with a number in each, and `Name: number` where it has no sentence. */
export function parseNetstatCommand(bytes: Uint8Array): Result<Files> {
  const counters: Counter[] = [];
  let group = '';
  for (const line of wholeOutputLines(bytes)) {
    const section = /^(\w+):$/.exec(line)?.[1];
    if (section !== undefined) {
      group = section;
      continue;
    }
    const trimmed = line.trim();
    const [, name, number] = /^(\w+): (\d{1,20})$/.exec(trimmed) ?? [];
    if (name !== undefined && number !== undefined && groups.some(([known]) => known === group)) {
      counters.push({ group, name, value: number });
      continue;
    }
    for (const [phrase, field] of phrases[group] ?? []) {
      const value = phrase.exec(trimmed)?.[1];
      if (value !== undefined && value.length <= 20) counters.push({ group, name: field, value });
    }
  }
  if (counters.length === 0) return fail('no counter that is known');
  // It leaves out most counters that are zero. Where the next section is there, this one is whole, and so those are: if the
  // sentences are ours. In another language nobody knows which counter has none.
  const ours = spoken.every((name) => counters.some((each) => each.group === 'Tcp' && each.name === name));
  if (ours && counters.some((each) => each.group === 'IpExt'))
    counters.push(...unsaid(counters, 'TcpExt', '/proc/net/netstat'));
  return ok(counterFiles(counters));
}

function unsaid(counters: readonly Counter[], group: string, path: string): readonly Counter[] {
  const said = new Set(counters.filter((each) => each.group === group).map(({ name }) => name));
  if (said.size === 0) return [];
  return printedByAll(path, group).flatMap((name) => (said.has(name) ? [] : [{ group, name, value: '0' }]));
}

/** Parses `conntrack -S`: `cpu=0 found=0 ... drop=9000 early_drop=3000` a line, into the file of the statistics. */
export function parseConntrackCommand(bytes: Uint8Array): Result<Files> {
  const whole = wholeOutput(bytes);
  if (!whole.ok) return whole;
  const rows = whole.value.split('\n').flatMap((line) => {
    const pairs = [...line.matchAll(/\b([a-z_]+)=(\d{1,10})\b/g)].map(
      ([, name = '', value = '']) => [name, Number(value)] as const,
    );
    const row = new Map(
      pairs.map(([name, value]) => [
        name === 'chaintoolong' ? 'chainlength' : name === 'clash_resolve' ? 'clashres' : name,
        value,
      ]),
    );
    return row.has('cpu') && row.has('drop') && [...row.values()].every((value) => value < 2 ** 32) ? [row] : [];
  });
  const [first] = rows;
  if (first === undefined) return fail('no line of a CPU');
  const names = [...first.keys()].filter((name) => name !== 'cpu');
  if (rows.length < (whole.value.match(/\bcpu=/g) ?? []).length)
    return fail('a row without a CPU or without its drops: cut off');
  if (rows.some((row) => row.size !== first.size || !names.every((name) => row.has(name))))
    return fail('not the same counters of each CPU: cut off');
  const hex = (value: number): string => value.toString(16).padStart(8, '0');
  // The table's total stands in front of each row; it is asked for elsewhere.
  const lines = rows.map((row) => `${[0, ...names.map((name) => row.get(name) ?? 0)].map(hex).join(' ')}\n`);
  return ok(new Map([['/proc/net/stat/nf_conntrack', `entries ${names.join(' ')}\n${lines.join('')}`]]));
}
