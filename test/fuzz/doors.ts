/** Everything that reads what others wrote, as functions of one input: what they may do with it is refuse. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { parseJson } from '../../src/base/json.ts';
import { UsageError } from '../../src/base/usage.ts';
import { runCollector } from '../../src/collectors/collector.ts';
import { collectors } from '../../src/collectors/index.ts';
import type { DumpName } from '../../src/collectors/reader.ts';
import { parseLength, parsePercent, parseRange, parseTime, parseWindow } from '../../src/commands/arguments.ts';
import { readConfig } from '../../src/commands/config.ts';
import { validateReport } from '../../src/generated/validate.ts';
import { judgeFleet } from '../../src/jobs/fleet.ts';
import { replay } from '../../src/jobs/replay.ts';
import { Snapshot } from '../../src/metrics/snapshot.ts';
import { compareReports } from '../../src/report/compare/index.ts';
import { renderHtml } from '../../src/report/html/index.ts';
import { renderMarkdown } from '../../src/report/markdown/index.ts';
import { renderText } from '../../src/report/text/index.ts';
import { parseEndpoint } from '../../src/sources/pages/endpoint.ts';
import { parseExposition } from '../../src/sources/pages/exposition.ts';
import { parseMatch } from '../../src/sources/pages/selector.ts';
import { contentOf, recordFake, unpackInto } from '../support/bundle.ts';
import { repository } from '../support/fixture.ts';
import { fakeReader } from '../support/reader.ts';
import { mutateBytes, mutateJson, type Chance } from './mutate.ts';

export interface Door {
  readonly name: string;
  readonly input: (chance: Chance) => Uint8Array;
  /** @throws whatever is a find */
  readonly open: (input: Uint8Array) => void | Promise<void>;
  readonly close?: () => void;
}

const fixtures = readdirSync(`${repository}/test/fixtures`, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry): Uint8Array => readFileSync(`${entry.parentPath}/${entry.name}`))
  .filter(({ length }) => length > 0 && length <= 64 * 1024);

const texts = [
  '30s',
  '5m',
  '1h30m',
  '1%',
  '2026-03-01T09:30:00Z',
  'http://user:pass@host:9100/x?y#z',
  '{job="node",a=~"b.*"}',
].map((text) => Buffer.from(text));

const bytesOf = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

/** A usage error is the one line that the user gets. */
async function refusing(how: () => unknown): Promise<void> {
  try {
    await how();
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
  }
}

const dumpNames: readonly DumpName[] = [
  'packet_diag',
  'inet_diag',
  'socket_owners',
  'sysconf',
  'probe',
  'probe_load',
  'profile',
];

const dumpSeeds: readonly unknown[] = [
  [
    {
      inode: 1,
      type: 3,
      protocol: 3,
      ifindex: 2,
      version: 2,
      flags: 0,
      uid: 0,
      ring: null,
      fanout: null,
      filter: 'absent',
      promiscuous: false,
      memory: null,
    },
  ],
  { listeners: [], udp: [], slowReaders: [], slowReadersSkipped: null },
  { owners: [{ inode: 1, pid: 2, comm: 'x' }], unreadable: 0 },
  { pageSize: 4096, clockTicks: 100, machine: 'x86_64' },
  { version: 1, objects: true, error: null },
];

export async function allDoors(): Promise<readonly Door[]> {
  const folder = mkdtempSync(join(tmpdir(), 'pktcost-fuzz-'));
  const sample = {
    files: { '/proc/stat': 'cpu  1 2 3 4 5 6 7 8 9 0\ncpu0 1 2 3 4 5 6 7 8 9 0\n', '/proc/sys/kernel/hostname': 'h\n' },
  };
  const content = contentOf(recordFake(sample, 10), recordFake(sample, 20));
  const bundle = join(folder, 'bundle');
  unpackInto(bundle, content);
  const members = readdirSync(bundle, { recursive: true, encoding: 'utf8' }).filter((name) =>
    statSync(join(bundle, name)).isFile(),
  );
  const originals = new Map(members.map((name) => [name, readFileSync(join(bundle, name))]));
  const report = content.report!;
  const style = { colour: false, width: 80, unicode: true };
  return [
    ...(await parserDoors()),
    {
      name: 'bundle',
      input: (chance) => {
        const member = chance.of(members);
        const original = originals.get(member)!;
        const json = parseJson(original);
        const mutated =
          json.ok && chance.below(3) > 0
            ? bytesOf(mutateJson(chance, json.value))
            : mutateBytes(chance, original, fixtures);
        return Buffer.concat([Buffer.from(`${member}\n`), mutated]);
      },
      open: async (input) => {
        const end = input.indexOf(10);
        const member = Buffer.from(input.subarray(0, end)).toString();
        writeFileSync(join(bundle, member), input.subarray(end + 1));
        try {
          await refusing(() => replay(bundle, '0.1.0'));
        } finally {
          writeFileSync(join(bundle, member), originals.get(member)!);
        }
      },
      close: () => {
        rmSync(folder, { recursive: true, force: true });
      },
    },
    {
      name: 'report',
      input: (chance) => bytesOf(mutateJson(chance, report)),
      open: (input) => {
        const parsed = parseJson(input);
        if (!parsed.ok || !validateReport(parsed.value)) return;
        const given = parsed.value;
        const text = renderText(given, { ...style, verbose: true }) + renderMarkdown(given);
        if (text.includes('\u001b')) throw new Error('an escape reaches the terminal');
        renderHtml(given);
        compareReports({ source: 'a', report }, { source: 'b', report: given }, '0');
      },
    },
    {
      name: 'config',
      input: (chance) => bytesOf(mutateJson(chance, { thresholds: { PKT0201: { usage: 0.5 }, PKT0101: {} } })),
      open: (input) => {
        const path = join(folder, 'config.json');
        writeFileSync(path, input);
        return refusing(() => readConfig(path));
      },
    },
    {
      name: 'page',
      input: (chance) =>
        mutateBytes(chance, Buffer.from('# HELP a b\n# TYPE a counter\na{x="y\\"",z="1"} 1 2\nb 3\n'), fixtures),
      open: (input) => void parseExposition(input),
    },
    {
      name: 'API',
      input: (chance) => {
        const answer = {
          status: 'success',
          data: { resultType: 'vector', result: [{ metric: { job: 'a', instance: 'b' }, value: [1, '1'] }] },
          warnings: ['w'],
        };
        return chance.below(3) > 0
          ? bytesOf(mutateJson(chance, answer))
          : mutateBytes(chance, bytesOf(answer), fixtures);
      },
      open: async (input) => {
        const real = globalThis.fetch;
        globalThis.fetch = () =>
          Promise.resolve(new Response(Buffer.from(input), { headers: { 'content-type': 'application/json' } }));
        try {
          await refusing(() =>
            judgeFleet({
              ...{
                url: 'http://x',
                seconds: 300,
                at: 1_772_357_400,
                match: undefined,
                token: 'secret-secret',
                tenant: undefined,
              },
              ...{ timeoutSeconds: 20, stop: new AbortController().signal, top: 20, overrides: {}, version: '0' },
            }),
          );
        } finally {
          globalThis.fetch = real;
        }
      },
    },
    {
      name: 'dumps',
      input: (chance) => bytesOf({ name: chance.of(dumpNames), value: mutateJson(chance, chance.of(dumpSeeds)) }),
      open: (input) => {
        const { name, value } = JSON.parse(Buffer.from(input).toString()) as { name: DumpName; value: unknown };
        const snapshot = new Snapshot('2026-01-01T00:00:00Z', 0);
        for (const collector of collectors) runCollector(collector, fakeReader({ dumps: { [name]: value } }), snapshot);
        noBugs(snapshot);
      },
    },
    {
      name: 'words',
      input: (chance) => mutateBytes(chance, chance.of(texts), texts),
      open: async (input) => {
        const text = Buffer.from(input).toString();
        for (const parse of [parseWindow, parseRange, parsePercent]) await refusing(() => parse(text));
        await refusing(() => parseTime('--at', text));
        await refusing(() => parseLength('--timeout', text));
        await refusing(() => parseEndpoint('--exporter', text));
        parseMatch(text);
      },
    },
  ];
}

function noBugs(snapshot: Snapshot): void {
  for (const { gaps } of snapshot.collectors)
    for (const { reason } of gaps) if (reason.startsWith('bug in')) throw new Error(reason);
}

/** Each exported parse... of one parameter in the folders that read bytes. */
async function parserDoors(): Promise<readonly Door[]> {
  const doors: Door[] = [];
  for (const folder of ['collectors', 'sources', 'sources/sos', 'sources/copy', 'readings', 'ffi']) {
    const modules = new URL(`../../src/${folder}/`, import.meta.url);
    for (const file of readdirSync(modules).filter((name) => name.endsWith('.js'))) {
      const exported = (await import(new URL(file, modules).href)) as Record<string, unknown>;
      for (const [name, parse] of Object.entries(exported)) {
        if (!/^parse[A-Z]/.test(name) || typeof parse !== 'function' || parse.length !== 1) continue;
        if (['parseMatch', 'parseExposition', 'parseJson', 'parseEndpoint'].includes(name)) continue;
        doors.push({
          name: `${file.slice(0, -3)}.${name}`,
          input: (chance) => mutateBytes(chance, chance.of(fixtures), fixtures),
          open: (input) => void (parse as (bytes: Uint8Array) => unknown)(input),
        });
      }
    }
  }
  return doors;
}
