import { netstat as fields } from '../metrics/catalogue/index.ts';
import { fail, ok, type Result } from '../base/result.ts';
import { isSince } from '../base/release.ts';
import { defineCollector, type Host } from './collector.ts';
import { U64_MAX, wholeLines } from './cursor.ts';
import { parseLine } from './parse.ts';

/** Every field this kernel has, under its own name: names come and go between kernels, and in the middle of the line. */
export const netstat = defineCollector({
  id: 'netstat',
  turn: 70,
  scope: 'netns',
  reads: ['/proc/net/netstat', '/proc/net/snmp', '/proc/net/snmp6', '/proc/sys/kernel/osrelease'],
  collect(host, emit) {
    const files = [
      host.parse('/proc/net/netstat', parseNetstat),
      host.parse('/proc/net/snmp', parseNetstat),
      // Absent without IPv6.
      host.parseIfPresent('/proc/net/snmp6', parseSnmp6),
    ];
    for (const values of files) {
      for (const [field, value] of values ?? []) emit(fields.member(field), {}, value);
    }
    noteCut(host, files);
  },
});

/**
 * What rules rest on and every kernel prints, whatever it was built with, by the release since which it does; '' is older
 * than 3.10. Source: the tables of net/ipv4/proc.c and net/ipv6/proc.c.
 */
const printed: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  '/proc/net/netstat': {
    '': 'TcpExt: ListenOverflows ListenDrops TCPReqQFullDrop TCPReqQFullDoCookies PruneCalled RcvPruned OfoPruned TCPBacklogDrop PFMemallocDrop TCPMemoryPressures TCPAbortOnMemory TCPTimeouts TCPLostRetransmit TCPTimeWaitOverflow IPReversePathFilter; IpExt: InNoRoutes InCsumErrors',
    '3.15': 'TcpExt: TCPSynRetrans',
    '4.19': 'TcpExt: TCPRcvQDrop',
  },
  '/proc/net/snmp': {
    '': 'Ip: InReceives InHdrErrors InAddrErrors ForwDatagrams OutRequests OutNoRoutes ReasmFails FragFails; Icmp: InCsumErrors; Tcp: ActiveOpens PassiveOpens InSegs OutSegs RetransSegs InCsumErrors; Udp: InDatagrams InErrors OutDatagrams RcvbufErrors SndbufErrors InCsumErrors',
    '5.14': 'Udp: MemErrors',
  },
  '/proc/net/snmp6': {
    '': 'Ip6: InReceives InHdrErrors InTooBigErrors InNoRoutes InAddrErrors OutNoRoutes ReasmFails FragFails; Icmp6: InCsumErrors; Udp6: InDatagrams InErrors OutDatagrams RcvbufErrors SndbufErrors InCsumErrors',
    '5.14': 'Udp6: MemErrors',
  },
};

type NetstatTable = ReadonlyMap<string, number>;

const namesByFile = Object.entries(printed).map(([path, since]) => ({
  path,
  releases: Object.entries(since).map(([release, groups]) => ({
    since: release,
    names: groups.split('; ').flatMap((group) => {
      const [protocol = '', ...names] = group.split(' ');
      return names.map((name) => `${protocol.replace(':', '_')}${name}`);
    }),
  })),
}));

/** Counters of a group that every kernel prints in a file. */
export function printedByAll(path: string, group: string): readonly string[] {
  const names = namesByFile.find((file) => file.path === path)?.releases.find(({ since }) => since === '')?.names ?? [];
  return names.flatMap((name) => (name.startsWith(`${group}_`) ? [name.slice(group.length + 1)] : []));
}

/** A table without what its kernel prints was cut: that it has no other counter either is no answer. */
function noteCut(host: Host, tables: readonly (NetstatTable | undefined)[]): void {
  let release: string | undefined;
  for (const [index, { path, releases }] of namesByFile.entries()) {
    for (const { since, names } of releases) {
      const lacking = tables[index] === undefined ? undefined : names.find((name) => !tables[index]?.has(name));
      if (lacking === undefined) continue;
      if (since !== '') release ??= host.parseIfPresent('/proc/sys/kernel/osrelease', parseLine) ?? '';
      if (since !== '' && isSince(release, since) === false) continue;
      const kernels = since === '' ? 'every kernel' : `every kernel since ${since}`;
      host.gap(path, `cut off: it has no ${lacking.replace('_', ' ')}, which ${kernels} prints`);
      break;
    }
  }
}

/**
 * Parses /proc/net/netstat and /proc/net/snmp: pairs of lines, `Proto: names` and `Proto: values`, into
 * `Proto_Name` -> value. Some values are signed (Tcp MaxConn is -1). Source: net/ipv4/proc.c:netstat_seq_show, snmp_seq_show.
 */
export function parseNetstat(bytes: Uint8Array): Result<ReadonlyMap<string, number>> {
  const whole = wholeLines(bytes);
  if (!whole.ok) return whole;
  const cursor = whole.value;
  const values = new Map<string, number>();
  while (!cursor.done) {
    const at = cursor.at;
    const header = cursor.restOfLine();
    const names = namesOf(header);
    if (names === undefined) return fail('no line of names', at);
    const protocol = header.slice(0, header.indexOf(':') + 1);
    const valuesAt = cursor.at;
    if (cursor.word() !== protocol) return fail(`no line of values for ${protocol.slice(0, -1)}`, valuesAt);
    for (const name of names) {
      const value = cursor.decimal();
      if (value === undefined) return fail(`no number for ${name}`, cursor.at);
      values.set(name, value);
    }
    if (cursor.moreOnLine()) return fail('more values than names', cursor.at);
    cursor.nextLine();
  }
  return ok(values);
}

/** A host with a thousand namespaces shows the same header lines a thousand times. */
const known = new Map<string, readonly string[]>();
const MAX_KNOWN = 64;

/** `TcpExt: A B` -> TcpExt_A, TcpExt_B; undefined when it is not a line of names. */
function namesOf(header: string): readonly string[] | undefined {
  const seen = known.get(header);
  if (seen !== undefined) return seen;
  const [protocol = '', ...fields] = header.split(/ +/);
  if (!/^[A-Za-z]\w*:$/.test(protocol)) return undefined;
  if (fields.at(-1) === '') fields.pop();
  if (fields.length === 0 || !fields.every((field) => /^[A-Za-z]\w*$/.test(field))) return undefined;
  const names = fields.map((field) => `${protocol.slice(0, -1)}_${field}`);
  if (known.size >= MAX_KNOWN) known.clear();
  known.set(header, names);
  return names;
}

/**
 * Parses /proc/net/snmp6: `name value` per line, the name cut after its first 6: Udp6InErrors is field InErrors of Udp6.
 * Lines whose name has no 6 belong to no protocol, and are passed over as node_exporter does. Source: net/ipv6/proc.c:snmp6_seq_show.
 */
export function parseSnmp6(bytes: Uint8Array): Result<ReadonlyMap<string, number>> {
  const whole = wholeLines(bytes);
  if (!whole.ok) return whole;
  const cursor = whole.value;
  const values = new Map<string, number>();
  while (!cursor.done) {
    const at = cursor.at;
    const name = cursor.word();
    const six = name.indexOf('6') + 1;
    if (six === 0) {
      cursor.nextLine();
      continue;
    }
    if (!/^[A-Za-z]+6\w+$/.test(name)) return fail('no field name', at);
    const value = cursor.unsigned(U64_MAX);
    if (value === undefined) return fail(`no number for ${name.slice(0, 60)}`, cursor.at);
    if (cursor.moreOnLine()) return fail('more than one number', cursor.at);
    cursor.nextLine();
    values.set(`${name.slice(0, six)}_${name.slice(six)}`, value);
  }
  if (values.size === 0) return fail('no field', 0);
  return ok(values);
}
