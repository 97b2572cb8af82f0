import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import fc from 'fast-check';

import { refusal as refusedBy } from '../../src/base/errno.ts';
import { packArchive } from '../../src/bundle/archive.ts';
import { decodeManifest } from '../../src/bundle/manifest.ts';
import { openEvidence } from '../../src/bundle/open.ts';
import { bundleOf, type RecordedRun } from '../../src/jobs/bundle.ts';
import { collectors } from '../../src/collectors/index.ts';
import type { Report } from '../../src/generated/report.ts';
import { renderJson } from '../../src/report/json.ts';
import { replay } from '../../src/jobs/replay.ts';
import { HOST_ROOTS, liveReader } from '../../src/sources/live-reader.ts';
import { recordSample } from '../../src/sources/recording.ts';
import { replaySample } from '../../src/sources/replay.ts';
import { UsageError } from '../../src/base/usage.ts';
import { contentOf, recordFake, unpackInto, writeBundle, type FakeSample } from '../support/bundle.ts';

const folder = mkdtempSync(join(tmpdir(), 'pktcost-bundle-'));
after(() => {
  rmSync(folder, { recursive: true, force: true });
});

const conntrack = (drop: string): string =>
  `entries  searched found insert_failed drop early_drop\n000003e8  00000000 00000000 00000000 ${drop} 00000000\n`;

/** A host with a full conntrack table, which PKT0201 proves. */
const sick = (drop: string): FakeSample => ({
  files: {
    '/proc/sys/kernel/hostname': 'db1.example.com\n',
    '/proc/sys/kernel/osrelease': '6.12.1\n',
    '/proc/sys/net/netfilter/nf_conntrack_count': '1000\n',
    '/proc/sys/net/netfilter/nf_conntrack_max': '1000\n',
    '/proc/net/stat/nf_conntrack': conntrack(drop),
    '/proc/stat': refusedBy('EACCES'),
    '/sys/class/net/eth0': '-> ../../devices/virtual/net/eth0',
  },
  dumps: { sysconf: { pageSize: 4096, clockTicks: 100, machine: 'x86_64' } },
  namespaces: {
    'blue/../green': { files: { '/proc/net/sockstat': 'sockets: used 3\n' } },
  },
});

function sickContent(change: Partial<RecordedRun> = {}): RecordedRun {
  return contentOf(recordFake(sick('00000000'), 100), recordFake(sick('00000064'), 110), change);
}

const reportText = (report: Report): string => renderJson(report);

async function refusal(path: string): Promise<string> {
  try {
    await replay(path, '0.1.0');
  } catch (error) {
    assert.ok(error instanceof UsageError, String(error));
    assert.doesNotMatch(error.message, /\n/);
    return error.message;
  }
  return assert.fail('it was taken');
}

describe('a recorded sample', () => {
  it('of this host, taken again, has every series and every gap as they were', () => {
    const { snapshot, recording } = recordSample({ reader: liveReader(HOST_ROOTS), collectors });
    const again = replaySample(recording, collectors);
    assert.deepEqual(again.collectors, snapshot.collectors);
    assert.deepEqual(
      again.metrics().flatMap((metric) => again.series(metric)),
      snapshot.metrics().flatMap((metric) => snapshot.series(metric)),
    );
    assert.ok(recording.calls.length > 50);
  });

  it('asked for what was not read says so, and not that it does not exist', () => {
    const { recording } = recordFake({ files: {} }, 1);
    const without = { ...recording, calls: recording.calls.filter(({ path }) => path !== '/proc/stat') };
    const gaps = replaySample(without, collectors).collector('cpu')?.gaps ?? [];
    assert.match(JSON.stringify(gaps), /was not read when this was recorded/);
  });
});

describe('a bundle', () => {
  it('gives the recorded verdict back, byte for byte, packed and unpacked', async () => {
    const content = sickContent();
    assert.equal(content.report?.verdict.principal, 'PKT0201');
    const archive = join(folder, 'sick.tar.gz');
    await writeBundle(archive, content);
    const packed = await replay(archive, '0.1.0');
    assert.deepEqual(packed.notes, []);
    assert.equal(reportText(packed.report), reportText(content.report));
    const unpacked = join(folder, 'unpacked', 'pktcost-db1');
    unpackInto(unpacked, content);
    assert.equal(reportText((await replay(unpacked, '0.1.0')).report), reportText(content.report));
    assert.equal(reportText((await replay(join(folder, 'unpacked'), '0.1.0')).report), reportText(content.report));
    assert.equal(readFileSync(join(unpacked, 'report.json'), 'utf8'), reportText(content.report));
  });

  it('from before errnos were data gives the same verdict', async () => {
    const content = sickContent();
    assert.ok(content.report !== null);
    const unpacked = join(folder, 'before-errnos', 'pktcost-db1');
    unpackInto(unpacked, content);
    const manifest = join(unpacked, 'manifest.json');
    const old = readFileSync(manifest, 'utf8').replace(/,\s*"errno":\s*"[A-Z]+"/g, '');
    assert.ok(old.includes('(ENOENT)') && !old.includes('"errno"'));
    writeFileSync(manifest, old);
    assert.equal(reportText((await replay(unpacked, '0.1.0')).report), reportText(content.report));
  });

  it('begins with a summary of one screen and keeps files under their own paths', () => {
    const { folder: top, members } = bundleOf(sickContent());
    assert.match(top, /^pktcost-db1-2023-11-14-22-15-[0-9a-f]{8}$/);
    assert.equal(members[0]?.name, 'summary.txt');
    const summary = Buffer.from(members[0].bytes).toString();
    assert.ok(summary.split('\n').length <= 24);
    assert.match(summary, /PKT0201/);
    const names = members.map(({ name }) => name);
    for (const name of [
      'report.json',
      'report.txt',
      'report.html',
      'report.md',
      'config.json',
      'manifest.json',
      'before/proc/net/stat/nf_conntrack',
      'after/dumps/sysconf.json',
      'after/netns/blue%2f..%2fgreen/proc/net/sockstat',
    ]) {
      assert.ok(names.includes(name), `${name} in ${names.join(' ')}`);
    }
    assert.deepEqual(
      names.filter((name) => name.split('/').includes('..')),
      [],
    );
  });

  it('without a verdict gets one when it is replayed', async () => {
    const content = sickContent();
    const path = join(folder, 'record.tar.gz');
    await writeBundle(path, { ...content, report: null });
    const { report, notes } = await replay(path, '0.1.0');
    assert.deepEqual(notes, []);
    assert.equal(reportText(report), reportText(content.report!));
    assert.ok(!bundleOf({ ...content, report: null }).members.some(({ name }) => name.startsWith('report.')));
  });

  it('judged with other limits or by another version says what differs', async () => {
    const path = join(folder, 'limits.tar.gz');
    await writeBundle(path, sickContent());
    const { notes, report } = await replay(path, '9.9.9', { PKT0201: { usage: 2 } });
    assert.notEqual(report.verdict.principal, 'PKT0201');
    const told = notes.join('\n');
    assert.match(told, /recorded by pktcost 0\.1\.0, judged by 9\.9\.9/);
    assert.match(told, /limits differ .*PKT0201 usage 0\.95, now 2/);
    assert.match(told, /verdict differs .*PKT0201.*critical/);
  });

  it('keeps the limits it was judged with', async () => {
    const path = join(folder, 'own-limits.tar.gz');
    const content = sickContent({ overrides: { PKT0201: { usage: 2 } } });
    await writeBundle(path, content);
    const { notes, report } = await replay(path, '0.1.0');
    assert.deepEqual(notes, []);
    assert.equal(reportText(report), reportText(content.report!));
    assert.equal(report.thresholds[0]?.value, 2);
  });

  it('that was edited since, as by sos clean, is judged as it is, and that is said', async () => {
    const unpacked = join(folder, 'cleaned');
    unpackInto(unpacked, sickContent());
    writeFileSync(join(unpacked, 'after/proc/net/stat/nf_conntrack'), conntrack('00000000'));
    const { report, notes } = await replay(unpacked, '0.1.0');
    assert.match(notes.join('\n'), /not as recorded .*after\/proc\/net\/stat\/nf_conntrack/);
    assert.notEqual(report.verdict.principal, 'PKT0201');
  });

  it('with a file that the manifest lists and that is not there is refused', async () => {
    const unpacked = join(folder, 'incomplete');
    unpackInto(unpacked, sickContent());
    rmSync(join(unpacked, 'after/proc/net/stat/nf_conntrack'));
    assert.match(await refusal(unpacked), /lists "after\/proc\/net\/stat\/nf_conntrack", which is not there/);
    symlinkSync('/proc/net/stat', join(unpacked, 'after/proc/net/stat/nf_conntrack'));
    assert.match(await refusal(unpacked), /leads out of the copy/);
  });

  it('with anything outside of its one folder is refused', async () => {
    const { folder: top, members } = bundleOf(sickContent());
    const path = join(folder, 'stray.tar.gz');
    const all = [
      ...members.map((each) => ({ ...each, name: `${top}/${each.name}` })),
      { name: 'x', bytes: Buffer.from('x') },
    ];
    writeFileSync(path, '');
    for await (const piece of packArchive(all, 0)) appendFileSync(path, piece);
    assert.match(await refusal(path), /outside of pktcost-/);
  });
});

describe('a manifest', () => {
  const manifestOf = (content: RecordedRun): Record<string, unknown> => {
    const member = bundleOf(content).members.find(({ name }) => name === 'manifest.json');
    return JSON.parse(Buffer.from(member!.bytes).toString()) as Record<string, unknown>;
  };
  const sound = manifestOf(sickContent());

  it('reads back as it was written', () => {
    const decoded = decodeManifest(sound);
    assert.ok(decoded.ok, JSON.stringify(decoded));
    assert.equal(decoded.value.version, '0.1.0');
    assert.equal(decoded.value.samples.length, 2);
    assert.equal(decoded.value.thresholds['PKT0201']?.['usage'], 0.95);
  });

  const lies: readonly (readonly [what: string, change: (manifest: string) => string, reason: RegExp])[] = [
    ['another format', (text) => text.replace('pktcost-bundle', 'other'), /not the manifest/],
    ['a later format', (text) => text.replace('"formatVersion":"1.0"', '"formatVersion":"2.0"'), /format "2\.0"/],
    ['a file that leads out', (text) => text.replace('"file":"before/proc', '"file":"../../etc'), /leads out/],
    ['an absolute file', (text) => text.replace('"file":"before/proc', '"file":"/etc'), /absolute/],
    ['an unknown operation', (text) => text.replace('"op":"read"', '"op":"write"'), /op is unknown/],
    ['a path that is none', (text) => text.replace('"path":"/proc', '"path":"proc'), /path is unknown/],
    ['a time that is none', (text) => text.replace(/"takenAt":"[^"]*"/, '"takenAt":"yesterday"'), /not a time/],
    ['an errno that is none', (text) => text.replace('"errno":"ENOENT"', '"errno":"db1"'), /is no errno/],
    ['a negative time', (text) => text.replace(/"at":\d+/, '"at":-1'), /negative/],
    ['no samples', (text) => text.replace('"samples":[', '"samples":7,"old":['), /samples is no list/],
  ];
  for (const [what, change, reason] of lies) {
    it(`with ${what} is refused`, () => {
      const changed = change(JSON.stringify(sound));
      assert.notEqual(changed, JSON.stringify(sound), 'the test changes something');
      const decoded = decodeManifest(JSON.parse(changed));
      assert.match(decoded.ok ? 'taken' : decoded.reason, reason);
    });
  }

  it('of any shape ends in a reason or a verdict, never in an exception', async () => {
    const members = bundleOf(sickContent()).members;
    const text = JSON.stringify(sound);
    const tokens = [...text.matchAll(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?|true|false|null|[[\]{}]/g)];
    const values = ['null', '-1', '1e308', '""', '"../x"', '[]', '{}', '"/proc/net/dev"', 'true', '[[[]]]', '99999999'];
    const unpacked = join(folder, 'fuzzed');
    mkdirSync(unpacked);
    unpackInto(unpacked, sickContent());
    assert.ok(members.length > 10);
    await fc.assert(
      fc.asyncProperty(fc.nat(tokens.length - 1), fc.constantFrom(...values), async (index, value) => {
        const token = tokens[index]!;
        const changed = `${text.slice(0, token.index)}${value}${text.slice(token.index + token[0].length)}`;
        writeFileSync(join(unpacked, 'manifest.json'), `{"pktcost-bundle":0,${changed.slice(1)}`);
        const opened = await openEvidence(unpacked);
        if (!opened.ok) {
          assert.match(opened.reason, /^[^\n]+$/);
          return;
        }
        try {
          await replay(unpacked, '0.1.0');
        } catch (error) {
          assert.ok(error instanceof UsageError, error instanceof Error ? error.stack : String(error));
        }
      }),
      { numRuns: 200 },
    );
  });

  it('that would take gigabytes as values is refused before it is parsed', async () => {
    const path = join(folder, 'values.tar.gz');
    const head = JSON.stringify(sound).replace(/"samples":.*$/, '"samples":[');
    const members = [
      { name: 'top/pad', bytes: randomBytes(200_000) },
      { name: 'top/manifest.json', bytes: Buffer.from(`${head}${'{},'.repeat(8_000_000)}{}]}`) },
    ];
    writeFileSync(path, '');
    for await (const piece of packArchive(members, 0)) appendFileSync(path, piece);
    const begun = process.memoryUsage().rss;
    assert.match(await refusal(path), /manifest\.json: more values than are taken into memory/);
    assert.ok(process.memoryUsage().rss - begun < 300 * 1024 * 1024);
  });

  it('made of any JSON is refused', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        assert.equal(decodeManifest(value).ok, false);
      }),
      { numRuns: 200 },
    );
  });
});
