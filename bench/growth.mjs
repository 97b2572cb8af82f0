// node bench/growth.mjs [KIND ...]: CPU time and peak memory of a diagnosis of copies with many things of a kind (curve.mjs).
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { curve, folder, spent, wanted } from './curve.mjs';

/** @param {number} count @param {(index: number) => string} line */
const lines = (count, line) => Array.from({ length: count }, (_, index) => line(index)).join('');
/** @param {number} value @param {number} digits */
const hex = (value, digits) => value.toString(16).toUpperCase().padStart(digits, '0');

/** @typedef {(count: number, later: number) => Record<string, string>} Files */

/** What a host has many of: how many at first, and its files, of which `later` is 0 in the first sample and 1 in the second. */
/** @type {Record<string, { first: number, files: Files }>} */
const kinds = {
  devices: {
    first: 12_500,
    files: (count, later) => ({
      'proc/net/dev': `Inter-|   Receive                                                |  Transmit\n face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n${lines(count, (index) => `veth${index}: ${1000 + later * 7} ${10 + later} 0 0 0 0 0 0 1000 10 0 0 0 0 0 0\n`)}`,
    }),
  },
  listeners: {
    first: 12_500,
    files: (count) => ({
      'proc/net/tcp': `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n${lines(count, (index) => `${String(index).padStart(4)}: ${hex(index >> 16, 8)}:${hex(index % 65536, 4)} 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 ${index + 1} 1 0000000000000000 100 0 0 10 0\n`)}`,
    }),
  },
  connections: {
    first: 125_000,
    files: (count) => ({
      'proc/net/tcp': `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n${lines(count, (index) => `${String(index).padStart(4)}: 0100007F:0050 ${hex(index >> 16, 8)}:${hex(index % 65536, 4)} 01 00000000:00000000 00:00000000 00000000     0        0 ${index + 1} 1 0000000000000000 20 4 30 10 -1\n`)}`,
    }),
  },
  'UDP sockets': {
    first: 12_500,
    files: (count, later) => ({
      'proc/net/udp': `   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n${lines(count, (index) => `${String(index).padStart(5)}: ${hex(index >> 16, 8)}:${hex(index % 65536, 4)} 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 ${index + 1} 2 0000000000000000 ${later * (index % 3)}\n`)}`,
    }),
  },
  'packet sockets': {
    first: 2500,
    files: (count) => ({
      'proc/net/packet': `sk       RefCnt Type Proto  Iface R Rmem   User   Inode\n${lines(count, (index) => `0000000000000000 3      3    0003   0     1 0      0      ${index + 1}\n`)}`,
    }),
  },
  'CPUs that share 1,000 interrupts': {
    first: 64,
    files: (count, later) => ({
      'proc/interrupts': `           ${lines(count, (cpu) => `CPU${cpu}       `)}\n${lines(1000, (irq) => `${irq}: ${lines(count, (cpu) => `${cpu === irq % count ? 100 + later : 0} `)} PCI-MSI ${irq}-edge eth${irq % 8}-rx-${irq}\n`)}`,
      'proc/stat': `cpu  1 2 3 4 5 6 7 8 9 0\n${lines(count, (cpu) => `cpu${cpu} ${100 + later} 0 200 ${9000 + later * 900} 10 0 ${cpu} 0 0 0\n`)}`,
      'proc/net/softnet_stat': lines(
        count,
        (cpu) => `${hex(cpu * 1000 + later, 8)} ${'00000000 '.repeat(11)}${hex(cpu, 8)} 00000000 00000000\n`,
      ),
    }),
  },
  'conntrack tables': {
    first: 512,
    files: (count, later) => ({
      'proc/net/stat/nf_conntrack': `entries  clashres found new invalid ignore delete chainlength insert insert_failed drop early_drop icmp_error  expect_new expect_create expect_delete search_restart\n${lines(count, (cpu) => `${hex(count, 8)} ${'00000000 '.repeat(8)}${hex(later * (cpu % 3), 8)} ${'00000000 '.repeat(6)}00000000\n`)}`,
      'proc/sys/net/netfilter/nf_conntrack_count': `${count}\n`,
      'proc/sys/net/netfilter/nf_conntrack_max': '262144\n',
    }),
  },
  processes: {
    first: 2500,
    files: (count, later) =>
      Object.fromEntries(
        Array.from({ length: count }, (_, index) => [
          `proc/${index + 10}/stat`,
          `${index + 10} (worker${index}) S 1 1 1 0 -1 0 0 0 0 0 ${5 + later} 5 0 0 20 0 1 0 100 1000 10 18446744073709551615 0 0 0 0 0 0 0 0 0 0 0 0 17 3 0 0 0 0 0 0 0 0 0 0 0 0 0\n`,
        ]),
      ),
  },
};

/** @param {string} root @param {Record<string, string>} files */
function write(root, files) {
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), content);
  }
}

/** @param {Files} files @param {number} count */
function diagnosed(files, count) {
  const copies = ['before', 'after'].map((name) => join(folder, name));
  for (const [later, copy] of copies.entries()) {
    rmSync(copy, { recursive: true, force: true });
    write(copy, {
      'proc/sys/kernel/hostname': 'large\n',
      'proc/uptime': `${100 + later * 10}.00 200.00\n`,
      'proc/stat': `cpu  ${later * 1000} 0 0 0 0 0 0 0 0 0\ncpu0 ${later * 1000} 0 0 0 0 0 0 0 0 0\n`,
      ...files(count, later),
    });
  }
  return spent(['replay', ...copies, '--fail-on', 'never']);
}

for (const [kind, { first, files }] of Object.entries(kinds))
  if (wanted(kind)) await curve(kind, first, (count) => diagnosed(files, count));
