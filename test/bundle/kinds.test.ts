import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';

import { openEvidence, openTwo } from '../../src/bundle/open.ts';
import { BLOCK, padding } from '../../src/bundle/tar/format.ts';
import { tarHeader } from '../../src/bundle/tar/write.ts';
import { bundleOf } from '../../src/jobs/bundle.ts';
import { contentOf, recordFake, unpackInto, writeBundle } from '../support/bundle.ts';
import { lacking } from '../support/needs.ts';

const folder = mkdtempSync(join(tmpdir(), 'pktcost-kinds-'));
after(() => {
  rmSync(folder, { recursive: true, force: true });
});

let written = 0;
const end = Buffer.alloc(2 * BLOCK);

function member(name: string, content: string | Uint8Array): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([tarHeader(name, bytes.length, 0), bytes, Buffer.alloc(padding(bytes.length))]);
}

function archive(files: Readonly<Record<string, string | Uint8Array>>, pack = gzipSync): string {
  const path = join(folder, `${(written += 1)}.tgz`);
  writeFileSync(path, pack(Buffer.concat([...Object.entries(files).map(([name, of]) => member(name, of)), end])));
  return path;
}

async function kindOf(path: string): Promise<string> {
  const opened = await openEvidence(path);
  return opened.ok ? opened.value.kind : opened.reason;
}

const proc = { 'proc/uptime': '100.00 50.00\n', 'proc/sys/kernel/hostname': 'db1\n' };
/** The same below a folder. */
function at(place: string, files: Readonly<Record<string, string>> = proc): Record<string, string> {
  return Object.fromEntries(Object.entries(files).map(([name, content]) => [`${place}${name}`, content]));
}
const sample = (second: number): ReturnType<typeof recordFake> =>
  recordFake({ files: { '/proc/sys/kernel/hostname': 'db1\n', '/proc/uptime': `${second}.00 1.00\n` } }, second);
const content = contentOf(sample(50), sample(60));

describe('an archive is told by what lies in it', () => {
  it('a copy, whatever its first entry is and however deep it lies', async () => {
    for (const files of [
      at(''),
      at('sosreport-db1/'),
      { 'sosreport-db1/version.txt': 'sosreport: 4.5\n', ...at('sosreport-db1/') },
      { 'pktcost-copies/notes.txt': 'of today\n', ...at('pktcost-copies/') },
      { 'sosreport-db1/manifest.json': '{"version":"1.1"}', ...at('sosreport-db1/') },
      at('home/joe/case 4711/sosreport-db1/'),
      at('sosreport-db1/host/'),
    ])
      assert.equal(await kindOf(archive(files)), 'copy', Object.keys(files)[0]);
    assert.equal(
      await kindOf(
        archive({
          'x/readme': 'first\n',
          ...at('x/before/'),
          ...at('x/after/', { ...proc, 'proc/uptime': '110.00 50.00\n' }),
        }),
      ),
      'pair',
    );
  });

  it('a folder of a container that looked at its host', async () => {
    const path = join(folder, 'sosreport-node3');
    mkdirSync(join(path, 'host/proc'), { recursive: true });
    mkdirSync(join(path, 'etc'));
    writeFileSync(join(path, 'host/proc/uptime'), '100.00 50.00\n');
    assert.equal(await kindOf(path), 'copy');
  });

  it('a bundle, in whatever order, folder and packing', async () => {
    const { folder: top, members } = bundleOf(content);
    const sorted = Object.fromEntries(
      members.map(({ name, bytes }) => [name, Buffer.from(bytes)] as const).sort(([a], [b]) => (a < b ? -1 : 1)),
    );
    for (const place of [`${top}/`, 'renamed/', ''])
      for (const pack of [gzipSync, (bytes: Buffer) => bytes] as (typeof gzipSync)[])
        assert.equal(
          await kindOf(
            archive(Object.fromEntries(Object.entries(sorted).map(([name, bytes]) => [place + name, bytes])), pack),
          ),
          'bundle',
          place,
        );
  });

  it('a bundle that tar packed of its folder', { skip: lacking({ tools: ['tar', 'xz'] }) }, async () => {
    const unpacked = join(folder, 'unpacked');
    unpackInto(unpacked, content);
    for (const [flag, ...what] of [
      ['-czf', 'unpacked'],
      ['-cJf', 'unpacked'],
      ['-czf', '-C', 'unpacked', '.'],
    ] as const) {
      const path = join(folder, `${(written += 1)}.tar.any`);
      execFileSync('tar', [flag, path, '-C', folder, ...what]);
      assert.equal(await kindOf(path), 'bundle', `${flag} ${what.join(' ')}`);
    }
    assert.ok(readdirSync(unpacked).includes('manifest.json'));
  });

  it('the bundle of the plugin in a report that is packed, as in one that is not', async () => {
    const inside = join(folder, 'inside.tar.gz');
    await writeBundle(inside, content);
    const packed = archive({
      ...at('sosreport-db1/'),
      'sosreport-db1/sos_commands/pktcost/bundle/pktcost.tar.gz': readFileSync(inside),
    });
    const opened = await openEvidence(packed);
    assert.ok(opened.ok);
    assert.equal(opened.value.kind, 'bundle');
    assert.match(opened.value.notes[0] ?? '', /the bundle in this sosreport/);
  });

  it('two reports in one archive are not taken for one', async () => {
    const reason = await kindOf(archive({ ...at('sosreport-db1/'), ...at('sosreport-web7/') }));
    assert.match(reason, /two copies in it, sosreport-db1\/ and sosreport-web7\//);
  });

  it('what holds neither is refused', async () => {
    assert.match(await kindOf(archive({ 'a.txt': 'a' })), /nothing to judge/);
    assert.match(await kindOf(archive({ 'x/manifest.json': '{}' })), /nothing to judge/);
  });

  it('of two that are given none may be a bundle, or nothing', async () => {
    const bundle = join(folder, 'one.tar.gz');
    await writeBundle(bundle, content);
    const copy = archive(at('sosreport-db1/'));
    for (const [other, reason] of [
      [bundle, /a bundle, which holds two samples already/],
      [archive({ 'a.txt': 'a' }), /nothing to judge/],
    ] as const) {
      const opened = await openTwo(copy, other);
      assert.match(opened.ok ? 'taken' : opened.reason, reason);
    }
  });
});
