/**
 * The tables of iptables-legacy, asked for as its own tool does: getsockopt on a socket of the family. Only tables that the kernel
 * lists are asked for, since a question about another would load its module.
 * Source: net/ipv4/netfilter/ip_tables.c:get_info, get_entries; net/netfilter/x_tables.c:xt_find_table_lock.
 */
import { refusal } from '../../base/errno.ts';
import { libc, type Libc } from '../../ffi/libc.ts';
import { LITTLE, textOf, viewOf } from '../../ffi/netlink.ts';
import type { FilterChainRow, FilterRuleRow } from '../../collectors/netfilter-dump.ts';
import { fail, ok, type Result } from '../../base/result.ts';

const SOCK_DGRAM_CLOEXEC = 2 | 0o2000000;
/** IPT_BASE_CTL and IP6T_BASE_CTL: the question of a table's size, and of its entries. */
const GET_INFO = 64;
const GET_ENTRIES = 65;
const TABLE_NAME_BYTES = 32;
/** struct ipt_getinfo: name, valid_hooks, hook_entry[5], underflow[5], num_entries, size */
const INFO_BYTES = TABLE_NAME_BYTES + 4 * 13;
/** struct ipt_get_entries: name, size, and after them the entries, aligned to 8. */
const ENTRIES_HEADER = 40;
/** The kernel copies the whole table, counters summed over the CPUs: past this only its size is asked for. */
const MOST_BYTES = 8 * 1024 * 1024;

export interface XtFamily {
  readonly family: 'ip' | 'ip6';
  /** AF_INET, AF_INET6 and their levels of options. */
  readonly domain: number;
  readonly level: number;
  readonly names: string;
  /** Of struct ipt_entry and ip6t_entry: where offsets and counters stand, and where the matches begin. */
  readonly entry: { readonly target: number; readonly next: number; readonly packets: number; readonly size: number };
}

export const xtFamilies: readonly XtFamily[] = [
  {
    family: 'ip',
    domain: 2,
    level: 0,
    names: '/proc/net/ip_tables_names',
    entry: { target: 88, next: 90, packets: 96, size: 112 },
  },
  {
    family: 'ip6',
    domain: 10,
    level: 41,
    names: '/proc/net/ip6_tables_names',
    entry: { target: 140, next: 142, packets: 152, size: 168 },
  },
];

export interface XtInfo {
  readonly validHooks: number;
  /** Offsets of the first rule of each hook, and of its policy. */
  readonly hookEntry: readonly number[];
  readonly underflow: readonly number[];
  readonly entries: number;
  readonly size: number;
}

/** Parses struct ipt_getinfo; ip6t_getinfo is the same. */
export function parseXtInfo(bytes: Uint8Array): Result<XtInfo> {
  if (bytes.length < INFO_BYTES) return fail('xtables answer cut short', bytes.length);
  const view = viewOf(bytes);
  const words = Array.from({ length: 13 }, (_, index) => view.getUint32(TABLE_NAME_BYTES + 4 * index, LITTLE));
  return ok({
    validHooks: words[0]!,
    hookEntry: words.slice(1, 6),
    underflow: words.slice(6, 11),
    entries: words[11]!,
    size: words[12]!,
  });
}

export interface XtRule {
  readonly offset: number;
  readonly packets: number;
}

/** Where each entry of a table begins, and what it counted. The offsets chain the entries; one that leads nowhere ends it. */
export function parseXtEntries(
  bytes: Uint8Array,
  { next, packets, size }: XtFamily['entry'],
): Result<readonly XtRule[]> {
  const view = viewOf(bytes);
  const rules: XtRule[] = [];
  for (let at = 0; at < bytes.length;) {
    if (bytes.length - at < size) return fail('xtables entry cut short', at);
    const length = view.getUint16(at + next, LITTLE);
    if (length < size || length > bytes.length - at) return fail(`xtables entry of ${length} bytes`, at);
    rules.push({
      offset: at,
      packets: Math.min(Number(view.getBigUint64(at + packets, LITTLE)), Number.MAX_SAFE_INTEGER),
    });
    at += length;
  }
  return ok(rules);
}

/** The table's head and, where it is not too long, its rules. */
export function askXtTable(
  { domain, level, entry }: XtFamily,
  table: string,
): Result<{ readonly info: XtInfo; readonly rules: readonly XtRule[] | null }> {
  const library = libc();
  if (!library.ok) return library;
  const fd = library.value.socket(domain, SOCK_DGRAM_CLOEXEC, 0);
  if (fd < 0) return refusal(library.value.errno(), 'socket');
  try {
    const head = ask(library.value, fd, level, GET_INFO, tableRequest(table, INFO_BYTES));
    const info = head.ok ? parseXtInfo(head.value) : head;
    if (!info.ok) return info;
    const { size } = info.value;
    if (size > MOST_BYTES) return ok({ info: info.value, rules: null });
    const request = tableRequest(table, ENTRIES_HEADER + size);
    viewOf(request).setUint32(TABLE_NAME_BYTES, size, LITTLE);
    // EAGAIN says that the table was replaced in between.
    const whole = ask(library.value, fd, level, GET_ENTRIES, request);
    const rules = whole.ok ? parseXtEntries(whole.value.subarray(ENTRIES_HEADER), entry) : whole;
    return rules.ok ? ok({ info: info.value, rules: rules.value }) : rules;
  } finally {
    library.value.close(fd);
  }
}

function tableRequest(table: string, length: number): Uint8Array {
  const bytes = Buffer.allocUnsafeSlow(length).fill(0);
  bytes.write(table, 0, TABLE_NAME_BYTES - 1, 'latin1');
  return bytes;
}

function ask(library: Libc, fd: number, level: number, option: number, bytes: Uint8Array): Result<Uint8Array> {
  const length = new Uint8Array(4);
  viewOf(length).setUint32(0, bytes.length, LITTLE);
  if (library.getsockopt(fd, level, option, bytes, length) < 0) return refusal(library.errno(), 'getsockopt');
  return ok(bytes);
}

/** Names of tables as /proc lists them, one to a line. */
export function parseXtNames(bytes: Uint8Array): Result<readonly string[]> {
  return ok(
    textOf(bytes)
      .split('\n')
      .filter((name) => /^\w{1,31}$/.test(name)),
  );
}

const hooks = ['prerouting', 'input', 'forward', 'output', 'postrouting'];

/** The built-in chains of a table. A rule stands between the entry of its hook and the policy; the others are in chains of users. */
export function hooksOfXt(
  { family }: XtFamily,
  table: string,
  { info, rules }: { readonly info: XtInfo; readonly rules: readonly XtRule[] | null },
): { readonly chains: readonly FilterChainRow[]; readonly rules: readonly FilterRuleRow[] } {
  const chains: FilterChainRow[] = [];
  const counted: FilterRuleRow[] = [];
  const valid = hooks.map((_, hook) => hook).filter((hook) => (info.validHooks >>> hook) & 1);
  const rulesOf = (hook: number): readonly XtRule[] =>
    rules?.filter(({ offset }) => offset >= info.hookEntry[hook]! && offset < info.underflow[hook]!) ?? [];
  // Each built-in chain has a policy, and the table an end.
  const all = Math.max(0, info.entries - valid.length - 1);
  const inUserChains = all - valid.reduce((sum, hook) => sum + rulesOf(hook).length, 0);
  for (const hook of valid) {
    const [name, own] = [hooks[hook]!, rulesOf(hook)];
    // What has no rule leads nowhere.
    if (rules !== null && own.length === 0) continue;
    const labels = { engine: 'iptables', family, table, chain: name.toUpperCase() } as const;
    for (const [index, { packets, offset }] of own.entries())
      counted.push({ ...labels, handle: `${offset}`, position: index + 1, packets });
    const known = { ...labels, hook: name, priority: 0, device: '', policy: 'accept', establishedAt: null } as const;
    const length = rules === null ? all : own.length;
    chains.push({ ...known, rules: length, reachable: rules === null ? all : own.length + inUserChains });
  }
  return { chains, rules: counted };
}
