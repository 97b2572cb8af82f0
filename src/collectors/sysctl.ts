import { sysctl as sysctlMetric, tcpMem, udpMem } from '../metrics/catalogue/index.ts';
import { fail, ok, type Result } from '../base/result.ts';
import { defineCollector } from './collector.ts';
import { Cursor, U64_MAX } from './cursor.ts';
import { parseNumber } from './parse.ts';

const root = '/proc/sys/net';

/**
 * Tunables of one number. In a namespace other than the initial one the netdev_* and tcp_max_orphans never exist, and
 * rmem_* and wmem_* are shown, read-only, by newer kernels only (6.18 does): there the host's value holds.
 */
const numbers = [
  'core.netdev_max_backlog',
  'core.netdev_budget',
  'core.netdev_budget_usecs',
  'core.rmem_max',
  'core.rmem_default',
  'core.wmem_max',
  'core.wmem_default',
  'ipv4.tcp_syncookies',
  'ipv4.tcp_max_syn_backlog',
  'ipv4.udp_rmem_min',
  'ipv4.tcp_max_orphans',
] as const;

/** Those of one number by their dotted names, and the one that every namespace has. */
export const settingNames: readonly string[] = ['core.somaxconn', ...numbers].map((name) => `net.${name}`);

/**
 * Each read below /proc/sys/net takes longer the more namespaces there are: measured 0.3 ms with 300 of them and 1 ms with
 * 1,000, where a read below /proc/net takes 0.02 ms. Why was not traced.
 */
const MOST_NAMESPACES = 100;

export const sysctl = defineCollector({
  id: 'sysctl',
  turn: 210,
  scope: 'netns',
  reads: [
    `${root}/core/somaxconn`,
    ...numbers.map(path),
    path('ipv4.tcp_{rmem,mem}'),
    path('ipv4.udp_mem'),
    path('ipv4.ip_local_port_range'),
  ],
  manyNamespaces: { most: MOST_NAMESPACES, unread: root },
  collect(host, emit) {
    // The one that every network namespace of every kernel has: when it is missing, /proc/sys/net itself is.
    const somaxconn = host.parse(path('core.somaxconn'), parseNumber);
    if (somaxconn !== undefined) emit(sysctlMetric, { name: 'net.core.somaxconn' }, somaxconn);
    for (const name of numbers) {
      const number = host.parseIfPresent(path(name), parseNumber);
      if (number !== undefined) emit(sysctlMetric, { name: `net.${name}` }, number);
    }
    const rmem = host.parseIfPresent(path('ipv4.tcp_rmem'), parseTriple);
    if (rmem !== undefined) {
      for (const [index, part] of ['min', 'default', 'max'].entries()) {
        emit(sysctlMetric, { name: `net.ipv4.tcp_rmem.${part}` }, rmem[index]!);
      }
    }
    const ports = host.parseIfPresent(path('ipv4.ip_local_port_range'), parsePair);
    if (ports !== undefined) emit(sysctlMetric, { name: 'net.ipv4.ip_local_port_range' }, ports[1] - ports[0] + 1);
    // Global limits of the host, visible in the initial namespace only.
    for (const [name, metric] of [['ipv4.tcp_mem', tcpMem] as const, ['ipv4.udp_mem', udpMem] as const]) {
      const pages = host.parseIfPresent(path(name), parseTriple);
      if (pages === undefined) continue;
      for (const [index, limit] of ['min', 'pressure', 'max'].entries()) emit(metric, { limit }, pages[index]!);
    }
  },
});

function path(name: string): string {
  return `${root}/${name.replace('.', '/')}`;
}

/** Parses a sysctl of two numbers: the first and the last port. */
export function parsePair(bytes: Uint8Array): Result<readonly [number, number]> {
  const cursor = new Cursor(bytes);
  const first = cursor.unsigned(U64_MAX);
  const second = cursor.unsigned(U64_MAX);
  if (first === undefined || second === undefined) return fail('not two numbers', cursor.at);
  cursor.skipBlanks();
  if (!cursor.lineEnd) return fail('more than two numbers', cursor.at);
  return second >= first ? ok([first, second]) : fail('a range that ends before it begins', 0);
}

/** Parses a sysctl of three numbers separated by tabs: tcp_rmem in bytes, tcp_mem and udp_mem in pages. */
export function parseTriple(bytes: Uint8Array): Result<readonly [number, number, number]> {
  const cursor = new Cursor(bytes);
  const first = cursor.unsigned(U64_MAX);
  const second = cursor.unsigned(U64_MAX);
  const third = cursor.unsigned(U64_MAX);
  if (first === undefined || second === undefined || third === undefined) return fail('not three numbers', cursor.at);
  cursor.skipBlanks();
  return cursor.lineEnd ? ok([first, second, third]) : fail('more than three numbers', cursor.at);
}
