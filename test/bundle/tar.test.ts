import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { gunzipSync, gzipSync } from 'node:zlib';

import fc from 'fast-check';

import { BUNDLE_LIMITS, packArchive, unpackArchive, type BundleLimits } from '../../src/bundle/archive.ts';
import { BLOCK, padding, type Member } from '../../src/bundle/tar/format.ts';
import { tarHeader } from '../../src/bundle/tar/write.ts';
import { bytesOf } from '../support/fixture.ts';

const folder = mkdtempSync(join(tmpdir(), 'pktcost-tar-'));
after(() => {
  rmSync(folder, { recursive: true, force: true });
});

let written = 0;

async function pack(members: readonly Member[]): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of packArchive(members, 1_700_000_000)) pieces.push(piece);
  return Buffer.concat(pieces);
}

function fileOf(bytes: Uint8Array): string {
  const path = join(folder, `${(written += 1)}.tar.gz`);
  writeFileSync(path, bytes);
  return path;
}

/** Why an archive is refused. */
async function refusal(tar: Uint8Array, limits: Partial<BundleLimits> = {}): Promise<string> {
  const unpacked = await unpackArchive(fileOf(gzipSync(tar)), { ...BUNDLE_LIMITS, ...limits });
  assert.equal(unpacked.ok, false, 'it was taken');
  assert.doesNotMatch(unpacked.reason, /\n/);
  return unpacked.reason;
}

/** One entry of any type, with a sound checksum. */
function entry(name: string, content = '', change: (header: Buffer) => void = () => undefined): Buffer {
  const bytes = Buffer.from(content);
  const header = Buffer.from(tarHeader(name, bytes.length, 0));
  change(header);
  header.fill(0x20, 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return Buffer.concat([header, bytes, Buffer.alloc(padding(bytes.length))]);
}

const end = Buffer.alloc(2 * BLOCK);
const typed = (type: string) => (header: Buffer) => {
  header.write(type, 156, 'latin1');
};

describe('archives', () => {
  it('give back any bytes under any name', async () => {
    const members: Member[] = [
      { name: 'top/summary.txt', bytes: bytesOf('hello\n') },
      { name: 'top/empty', bytes: new Uint8Array(0) },
      { name: 'top/binary', bytes: Uint8Array.from({ length: 4096 }, (_, index) => index & 0xff) },
      { name: `top/${'d'.repeat(90)}/${'f'.repeat(90)}`, bytes: bytesOf('split') },
      { name: `top/${'long/'.repeat(80)}name`, bytes: bytesOf('pax') },
      { name: `top/${'x'.repeat(255)}`, bytes: bytesOf('one long name') },
      { name: 'top/µ', bytes: bytesOf('not ASCII') },
      { name: `top/block`, bytes: new Uint8Array(BLOCK).fill(7) },
    ];
    const unpacked = await unpackArchive(fileOf(await pack(members)));
    assert.ok(unpacked.ok, JSON.stringify(unpacked));
    assert.deepEqual(
      [...unpacked.value].map(([name, bytes]) => [name, Buffer.from(bytes).toString('hex')]),
      members.map(({ name, bytes }) => [name, Buffer.from(bytes).toString('hex')]),
    );
  });

  it('are read by GNU tar, and those of GNU tar are read', async () => {
    const long = `top/${'directory/'.repeat(14)}file`;
    const path = fileOf(await pack([{ name: long, bytes: bytesOf('content\n') }]));
    assert.equal(execFileSync('tar', ['-xzOf', path, long]).toString(), 'content\n');
    const tree = join(folder, 'tree');
    mkdirSync(join(tree, long, '..'), { recursive: true });
    writeFileSync(join(tree, long), 'content\n');
    for (const format of ['gnu', 'pax', 'ustar']) {
      const made = join(folder, `${format}.tar.gz`);
      execFileSync('tar', ['-C', tree, `--format=${format}`, '-czf', made, './top']);
      const unpacked = await unpackArchive(made);
      assert.ok(unpacked.ok, `${format}: ${JSON.stringify(unpacked)}`);
      assert.deepEqual([...unpacked.value.keys()], [long]);
    }
  });

  const hostile: readonly (readonly [what: string, tar: () => Buffer, reason: RegExp])[] = [
    ['an absolute path', () => entry('/etc/passwd', 'x'), /absolute path/],
    ['a path that leads out', () => entry('top/../../x', 'x'), /leads out/],
    ['a symbolic link', () => entry('top/link', '', typed('2')), /symbolic link/],
    ['a hard link', () => entry('top/link', '', typed('1')), /hard link/],
    ['a character device', () => entry('top/null', '', typed('3')), /character device/],
    ['a block device', () => entry('top/sda', '', typed('4')), /block device/],
    ['a FIFO', () => entry('top/fifo', '', typed('6')), /FIFO/],
    ['a sparse file', () => entry('top/sparse', '', typed('S')), /sparse/],
    ['an unknown type', () => entry('top/x', '', typed('Q')), /unknown type/],
    ['the same name twice', () => Buffer.concat([entry('top/x', '1'), entry('./top//x', '2')]), /two entries/],
    ['a wrong checksum', () => Buffer.concat([entry('top/x', '1')]).fill(0x31, 0, 1), /checksum/],
    ['a size that is no number', () => entry('top/x', '', (header) => header.fill(0xff, 124, 136)), /size/],
    [
      'a size beyond everything',
      () => entry('top/x', '', (header) => header.write('77777777777', 124, 'latin1')),
      /more than/,
    ],
    ['a pax record that changes the size', () => entry('pax', '12 size=999\n', typed('x')), /pax record "size"/],
    ['a malformed pax record', () => entry('pax', '99 path=x\n', typed('x')), /malformed/],
    [
      'a pax path that leads out',
      () => Buffer.concat([entry('pax', '14 path=../../x\n'.replace('14', '16'), typed('x')), entry('y', 'y')]),
      /leads out/,
    ],
    [
      'a long GNU name that is absolute',
      () => Buffer.concat([entry('L', '/etc/shadow\0', typed('L')), entry('y', 'y')]),
      /absolute/,
    ],
    ['a directory with content', () => entry('top/', 'x', typed('5')), /directory/],
    ['data after the end', () => Buffer.concat([end, entry('top/x', '1')]), /after the end/],
  ];
  for (const [what, tar, reason] of hostile) {
    it(`refuse ${what}`, async () => {
      assert.match(await refusal(Buffer.concat([tar(), end])), reason);
    });
  }

  it('refuse what is cut short, at any place', async () => {
    const whole = await pack([
      { name: 'top/a', bytes: bytesOf('a'.repeat(700)) },
      { name: 'top/b', bytes: bytesOf('b') },
    ]);
    const tar = gunzipSync(whole);
    for (const length of [0, 1, BLOCK - 1, BLOCK, BLOCK + 100, tar.length - 1025, tar.length - BLOCK]) {
      assert.match(await refusal(tar.subarray(0, length)), /cut short/, `${length}`);
    }
    for (const length of [1, 5, 10, 40, whole.length - 1]) {
      const unpacked = await unpackArchive(fileOf(whole.subarray(0, length)));
      assert.equal(unpacked.ok, false, `${length} of ${whole.length} bytes`);
    }
  });

  it('refuse bombs before they are unpacked', async () => {
    const zeros = Buffer.alloc(60 * 1024 * 1024);
    const bomb = Buffer.concat([entry('top/zeros', '', (header) => header.write('00360000000', 124, 'latin1')), zeros]);
    assert.match(await refusal(bomb), /times its size/);
    assert.match(await refusal(bomb.subarray(0, 9_000_000), { totalBytes: 1024 * 1024 }), /more than 1 MiB unpacked/);
    const many = Buffer.concat(Array.from({ length: 1500 }, (_, index) => entry(`top/${index}`)));
    assert.match(await refusal(many, { members: 1000 }), /more than 1000 entries/);
  });

  it('refuse what is no archive', async () => {
    for (const content of ['', 'hello', '{"a":1}', '\u0000'.repeat(600)]) {
      const unpacked = await unpackArchive(fileOf(bytesOf(content)));
      assert.equal(unpacked.ok, false);
    }
    assert.match(await refusal(Buffer.alloc(5000, 0x41)), /not a tar archive/);
    const missing = await unpackArchive(join(folder, 'missing.tar.gz'));
    assert.match(missing.ok ? '' : missing.reason, /no such file/);
  });

  it('never throw, whatever bytes they are made of', async () => {
    const sound = gunzipSync(
      await pack([
        { name: 'top/a', bytes: bytesOf('content') },
        { name: `top/${'n'.repeat(300)}`, bytes: bytesOf('long') },
      ]),
    );
    const damage = fc.array(fc.tuple(fc.nat(sound.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(damage, fc.nat(sound.length), async (changes, length) => {
        const copy = Buffer.from(sound);
        for (const [at, byte] of changes) copy[at] = byte;
        const unpacked = await unpackArchive(fileOf(gzipSync(copy.subarray(0, length), { level: 1 })));
        if (!unpacked.ok) assert.match(unpacked.reason, /^[^\n]+$/);
      }),
      { numRuns: 150 },
    );
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 2000 }), async (bytes) => {
        assert.equal((await unpackArchive(fileOf(bytes))).ok, false);
      }),
      { numRuns: 50 },
    );
  });

  it('are no worse for a link in the folder they were packed from', async () => {
    const tree = join(folder, 'linked');
    mkdirSync(join(tree, 'top'), { recursive: true });
    symlinkSync('/etc/passwd', join(tree, 'top/link'));
    const made = join(folder, 'linked.tar.gz');
    execFileSync('tar', ['-C', tree, '-czf', made, 'top']);
    const unpacked = await unpackArchive(made);
    assert.match(unpacked.ok ? '' : unpacked.reason, /symbolic link/);
    assert.ok(readFileSync(made).length > 0);
  });
});
