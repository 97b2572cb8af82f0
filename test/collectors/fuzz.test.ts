import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import { runCollector } from '../../src/collectors/collector.ts';
import { collectors } from '../../src/collectors/index.ts';
import type { Reader } from '../../src/collectors/reader.ts';
import { fail, ok, type Result } from '../../src/base/result.ts';
import { Snapshot } from '../../src/metrics/snapshot.ts';
import { dmiTable, slot } from '../support/dmi.ts';
import { bytesOf, repository } from '../support/fixture.ts';

/** The same inputs on every run: a failure is a bug to mend, not weather. */
const SEED = 20260122;

type Parser = (bytes: Uint8Array) => unknown;
const parsers: { readonly name: string; readonly parse: Parser }[] = [];

// Every module of the collectors is looked through, so that a new parser cannot be forgotten.
const folders = ['collectors', 'sources/sos', 'sources/copy'].map(
  (name) => new URL(`../../src/${name}/`, import.meta.url),
);
for (const [modules, file] of folders.flatMap((url) =>
  readdirSync(url)
    .sort()
    .map((name) => [url, name] as const),
)) {
  if (!file.endsWith('.js')) continue;
  const exported = (await import(new URL(file, modules).href)) as Record<string, unknown>;
  for (const [name, parse] of Object.entries(exported)) {
    if (!name.startsWith('parse') || typeof parse !== 'function') continue;
    assert.equal(parse.length, 1, `${name} of ${file} takes more than bytes: it cannot be fuzzed`);
    parsers.push({ name: `${file.slice(0, -3)}.${name}`, parse: parse as Parser });
  }
}

/** Files of one line, as /sys and /proc/sys have them. */
const lines = ['0x1003', 'up', 'DEVTYPE=vlan\nINTERFACE=eth0.5\nIFINDEX=7', '0-3,8', '00000000,0000000f'].concat([
  '8.0 GT/s PCIe',
  '16',
  '0x020000',
  '4096\t87380\t6291456',
  '-1',
]);
const corpus = readdirSync(`${repository}/test/fixtures`, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry): Uint8Array => new Uint8Array(readFileSync(`${entry.parentPath}/${entry.name}`)))
  .filter((content) => content.length > 0 && content.length <= 64 * 1024)
  .concat(
    dmiTable(slot(16384), slot(0)),
    lines.map((line) => bytesOf(`${line}\n`)),
  );

/** A Result: a value without a NaN or an infinity in it, or a reason with an offset inside the input. */
function check(parse: Parser, input: Uint8Array): boolean {
  const result = parse(input) as Result<unknown>;
  if (result.ok) {
    assertFinite(result.value);
    return true;
  }
  assert.ok(result.reason.length > 0 && result.reason.length < 300, 'a reason of one line');
  assert.ok(!result.reason.includes('\n'), 'a reason of one line');
  const { offset = 0 } = result;
  assert.ok(Number.isInteger(offset) && offset >= 0 && offset <= input.length, `offset ${offset}`);
  return false;
}

function assertFinite(value: unknown): void {
  if (typeof value === 'number') assert.ok(Number.isFinite(value), `${value} in the value`);
  else if (value instanceof Uint8Array) return;
  else if (value instanceof Map) for (const each of value.values()) assertFinite(each);
  else if (Array.isArray(value) || value instanceof Set) for (const each of value) assertFinite(each);
  else if (typeof value === 'object' && value !== null) for (const each of Object.values(value)) assertFinite(each);
}

const words = [
  '0',
  '7',
  '-1',
  '18446744073709551615',
  'ffffffff',
  'cpu0',
  'Node 0, zone DMA',
  'eth0:',
  'TcpExt:',
  'ALL',
];
const glue = [
  ' ',
  '\n',
  '\t',
  ':',
  '=',
  ',',
  '-',
  '(',
  ')',
  '\0',
  'é',
  '%',
  'some avg10=',
  'sk',
  'kB',
  'Inter-|\n face |bytes\n',
];
const arbitrary = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc.array(fc.constantFrom(...words, ...glue), { maxLength: 60 }).map((parts) => bytesOf(parts.join(''))),
);

const MEGABYTE = 2 ** 20;
const long = ['9', 'f', 'a', ' ', '\n', ':', '\0', 'a ', '1 ', '0,', '1-', 'a:', 'a=1\n', '\xff'].map((unit) =>
  bytesOf(unit.repeat(MEGABYTE / unit.length)),
);

describe('every parser', () => {
  it('is found', () => {
    assert.ok(parsers.length >= 30, `${parsers.length} parsers`);
  });

  for (const { name, parse } of parsers) {
    it(`${name} answers arbitrary bytes, cut and damaged files and endless lines with a Result`, () => {
      fc.assert(
        fc.property(arbitrary, (input) => {
          check(parse, input);
        }),
        { seed: SEED, numRuns: 300 },
      );
      // Those it can read are those of its kind: the few that read anything (a line of text) get a few of them.
      const own = corpus.filter((content) => check(parse, content)).slice(0, 8);
      assert.ok(own.length > 0, 'test/fixtures has no file that it reads: add one');
      for (const content of own) cutAndDamage(parse, content);
      const head = own[0]?.subarray(0, (own[0].indexOf(10) + 1 || own[0].length) - 1) ?? new Uint8Array();
      for (const line of long) {
        check(parse, line);
        if (head.length > 0) check(parse, Buffer.concat([head, line.subarray(0, MEGABYTE / 8)]));
      }
    });
  }
});

/** Cut at every byte; of a long file, at every byte near both ends and at a thousand places in between. */
function cutAndDamage(parse: Parser, content: Uint8Array): void {
  const step = Math.max(1, Math.floor(content.length / 1000));
  for (let length = 0; length < content.length; length += 1) {
    const nearEnd = length < 1500 || length > content.length - 500;
    if (nearEnd || length % step === 0) check(parse, content.subarray(0, length));
  }
  const damage = fc.array(fc.tuple(fc.nat(content.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(damage, (flips) => {
      const damaged = content.slice();
      for (const [at, byte] of flips) damaged[at] = byte;
      check(parse, damaged);
    }),
    { seed: SEED, numRuns: 200 },
  );
}

/** Directories as a host has them, for readers whose files fail one level below. */
const directories: Readonly<Record<string, readonly string[]>> = {
  '/proc': ['1', '2', 'net', 'self'],
  '/proc/2/task': ['2'],
  '/sys/bus/pci/devices': ['0000:00:03.0'],
  '/sys/class/net': ['eth0', 'lo'],
  '/sys/class/net/eth0': ['flags', 'operstate', 'device', 'uevent', 'speed', 'queues', 'statistics', 'threaded'],
  '/sys/class/net/eth0/queues': ['rx-0'],
  '/sys/class/net/eth0/device/msi_irqs': ['24'],
  '/sys/devices/system/node': ['node0', 'node1'],
  '/sys/firmware/dmi/entries': ['16-0', '17-0'],
  '/sys/kernel/mm/hugepages': ['hugepages-2048kB'],
};

/** That the probe is not up needs no reading. */
const knownWithoutReading = ['node_ebpf_pmd_jitter_collector_up 0', 'node_ebpf_pmd_jitter_object_path_configured 0'];

describe('every collector', () => {
  const failures = ['ENOENT', 'EACCES', 'EIO', 'EOPNOTSUPP'].map((errno) => ({
    name: `fails with ${errno}`,
    failure: fail(`cannot (${errno})`),
  }));
  for (const { name, failure } of [...failures, { name: 'is empty', failure: undefined }]) {
    for (const listed of [false, true]) {
      it(`gives no series but a reason when everything ${name}${listed ? ' but the directories' : ''}`, () => {
        const reader: Reader = {
          lastReadAt: 1,
          read: () => failure ?? ok(new Uint8Array()),
          list: (path) => (listed && directories[path] !== undefined ? ok(directories[path]) : (failure ?? ok([]))),
          link: () => failure ?? ok(''),
          dump: () => failure ?? ok(null),
        };
        for (const collector of collectors) {
          const snapshot = new Snapshot('2026-01-01T00:00:00.000Z', 0);
          const report = runCollector(collector, reader, snapshot);
          const invented = snapshot
            .metrics()
            .flatMap((metric) => snapshot.series(metric))
            .map(({ metric, value }) => `${metric.name} ${value}`)
            .filter((series) => !knownWithoutReading.includes(series));
          assert.deepEqual(invented, [], collector.id);
          assert.match(report.status, collector.id === 'ebpf' ? /./ : /^(unavailable|not-applicable)$/, collector.id);
          assert.ok(report.gaps.length > 0, `${collector.id}: a reason`);
          for (const { path, reason } of report.gaps) {
            assert.ok(path !== '' && reason !== '' && !reason.startsWith('bug'), `${path}: ${reason}`);
          }
        }
      });
    }
  }
});
