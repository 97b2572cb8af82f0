import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import { unpackReport } from '../../src/bundle/sos-archive.ts';
import { packingOf } from '../../src/bundle/trees.ts';
import { BLOCK, padding } from '../../src/bundle/tar/format.ts';
import { tarHeader } from '../../src/bundle/tar/write.ts';
import type { Result } from '../../src/base/result.ts';
import { lacking } from '../support/needs.ts';

const folder = mkdtempSync(join(tmpdir(), 'pktcost-xz-'));
after(() => {
  rmSync(folder, { recursive: true, force: true });
});

let written = 0;
/** An archive of these bytes as it is, packed by xz with these words. */
function packed(tar: Uint8Array, ...words: readonly string[]): string {
  const path = join(folder, `${(written += 1)}.tar.xz`);
  writeFileSync(path, execFileSync('xz', ['-c', ...words], { input: tar, maxBuffer: 1 << 30 }));
  return path;
}

function fileOf(bytes: Uint8Array): string {
  const path = join(folder, `${(written += 1)}.tar.xz`);
  writeFileSync(path, bytes);
  return path;
}

function member(name: string, content: Uint8Array): Buffer {
  return Buffer.concat([tarHeader(name, content.length, 0), content, Buffer.alloc(padding(content.length))]);
}

const end = Buffer.alloc(2 * BLOCK);
const sound = Buffer.concat([
  member('sosreport-x/proc/net/netstat', Buffer.from('TcpExt: ListenOverflows\nTcpExt: 7\n')),
  member('sosreport-x/var/log/messages', Buffer.alloc(900_000, 'a line of a log\n')),
  end,
]);

/** With the program xz, and with WebAssembly where there is none. */
const ways = { 'the program xz': undefined, WebAssembly: [] } as const;

async function unpack(path: string, way: readonly string[] | undefined): Promise<Result<ReadonlyMap<string, unknown>>> {
  const packing = packingOf(path);
  assert.deepEqual(packing, { ok: true, value: 'xz' });
  return unpackReport(path, 'xz', ...(way === undefined ? [] : [way]));
}

async function refusal(path: string, way: readonly string[] | undefined): Promise<string> {
  const got = await unpack(path, way);
  assert.ok(!got.ok, 'it was taken');
  assert.match(got.reason, /^[^\n]{1,200}$/);
  return got.reason;
}

/** CRC-32 as xz has it. */
function crc32(bytes: Uint8Array): number {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

/** The same archive, which says that a dictionary of nearly 4 GiB is needed to unpack it. */
function withHugeDictionary(path: string): Buffer {
  const bytes = Buffer.from(readFileSync(path));
  const at = 12;
  const length = (bytes[at]! + 1) * 4;
  const filter = bytes.indexOf(Buffer.from([0x21, 0x01]), at);
  assert.ok(filter > at && filter < at + length);
  bytes[filter + 2] = 40;
  bytes.writeUInt32LE(crc32(bytes.subarray(at, at + length - 4)), at + length - 4);
  return bytes;
}

describe('reports packed by xz', { skip: lacking({ tools: ['xz'] }) }, () => {
  for (const [name, way] of Object.entries(ways)) {
    describe(`with ${name}`, () => {
      it('are unpacked as far as they are wanted', async () => {
        for (const words of [[], ['-0', '--check=crc32'], ['--block-size=65536', '-T2', '--check=crc32']]) {
          const got = await unpack(packed(sound, ...words), way);
          assert.ok(got.ok, got.ok ? '' : got.reason);
          assert.deepEqual([...got.value.keys()], ['proc/net/netstat']);
        }
      });

      it('say of a file that is too long that it is there', async () => {
        const name = 'sos_commands/networking/ss_-peaonmi';
        const long = member(`sosreport-x/${name}`, Buffer.alloc((16 << 20) + 1, 'a socket\n'));
        const got = await unpack(packed(Buffer.concat([long, sound]), '-0', '--check=crc32'), way);
        assert.ok(got.ok, got.ok ? '' : got.reason);
        assert.deepEqual([...got.value.keys()], ['proc/net/netstat', name]);
        assert.match(JSON.stringify(got.value.get(name)), /longer than 16 MiB/);
      });

      it('that are bombs are refused long before they are unpacked', async () => {
        const size = 80 * 1024 * 1024;
        const bomb = Buffer.concat([tarHeader('x/var/log/zeros', size, 0), Buffer.alloc(size), end]);
        assert.match(
          await refusal(packed(bomb, '-1', '--check=crc32'), way),
          /unpacks to more than 250 times its size/,
        );
      });

      it('with more of what is read than any host has are refused', async () => {
        // 130 files of 1 MB that pack to a hundredth: their number and not the ratio is too much.
        let state = 1;
        const noise = Buffer.alloc(12 * 1024);
        const many = Array.from({ length: 140 }, (_, file) => {
          for (let index = 0; index < noise.length; index += 1) {
            state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
            noise[index] = state >>> 24;
          }
          return member(`x/proc/net/file${file}`, Buffer.concat([noise, Buffer.alloc(1_000_000)]));
        });
        assert.match(
          await refusal(packed(Buffer.concat([...many, end]), '-0', '--check=crc32'), way),
          /more than 128 MiB of what is read/,
        );
      });

      it('that are cut or damaged are refused in one line', async () => {
        const whole = readFileSync(packed(sound, '--check=crc32'));
        for (const length of [7, 30, Math.floor(whole.length / 2), whole.length - 1]) {
          assert.match(await refusal(fileOf(whole.subarray(0, length)), way), /cut short|damaged/, `${length}`);
        }
        const damaged = Buffer.from(whole);
        damaged.fill(0x55, 40, 60);
        assert.match(await refusal(fileOf(damaged), way), /damaged/);
        assert.match(await refusal(packed(Buffer.alloc(5000, 0x41), '--check=crc32'), way), /not a tar archive/);
      });

      it('that ask for gigabytes to be unpacked are refused', async () => {
        const reason = await refusal(fileOf(withHugeDictionary(packed(sound, '--check=crc32'))), way);
        assert.match(reason, /damaged, or cut short \(.+\)/);
      });
    });
  }

  it('are not given to an xz that others than root could have written', async () => {
    const owned = join(folder, 'bin');
    mkdirSync(owned);
    const ran = join(folder, 'ran');
    const program = join(owned, 'xz');
    writeFileSync(program, `#!/bin/sh\ntouch ${ran}\nexec xz "$@"\n`);
    chmodSync(program, 0o777);
    const writable = join(folder, 'writable');
    mkdirSync(writable);
    copyFileSync('/bin/true', join(writable, 'xz'));
    chmodSync(writable, 0o777);
    const link = join(folder, 'link');
    symlinkSync(program, link);
    for (const path of [program, join(writable, 'xz'), link, join(folder, 'none')]) {
      const got = await unpackReport(packed(sound, '--check=crc32'), 'xz', [path]);
      assert.ok(got.ok, got.ok ? '' : got.reason);
    }
    assert.throws(() => readFileSync(ran), /ENOENT/);
  });
});
