import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  lstatSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, beforeEach, describe, it } from 'node:test';
import { text } from 'node:stream/consumers';

import { bin, pktcost } from '../support/command.ts';
import { lacking } from '../support/needs.ts';

let folder = '';
const folders: string[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pktcost-output-'));
  folders.push(folder);
});
after(() => {
  for (const each of folders) rmSync(each, { recursive: true, force: true });
});

const needsRoot = lacking({ root: true, tools: ['mknod', 'mount'] });
const calm = ['--probe', 'off', '--fail-on', 'never'];
const quick = ['diagnose', ...calm, '--window', '500ms'];

function node(name: string, ...what: readonly string[]): string {
  const path = join(folder, name);
  execFileSync('mknod', [path, ...what]);
  return path;
}

describe('what -o names is written to, or left as it is', () => {
  for (const args of [['metrics'], ['rules', 'export'], quick]) {
    const shown = `pktcost ${args.slice(0, 2).join(' ')}`;
    it(`${shown} keeps a device a device`, { skip: needsRoot }, async () => {
      const path = node('null', 'c', '1', '3');
      const { status, stderr } = await pktcost([...args, '-o', path]);
      assert.equal(status, 0, stderr);
      assert.ok(lstatSync(path).isCharacterDevice());
      assert.deepEqual(readdirSync(folder), ['null']);
    });

    it(`${shown} refuses a disk`, { skip: needsRoot }, async () => {
      const path = node('disk', 'b', '240', '240');
      const { status, stderr } = await pktcost([...args, '-o', path]);
      assert.equal(status, 2);
      assert.match(stderr, /is no file that could be written/);
      assert.ok(lstatSync(path).isBlockDevice());
    });

    it(`${shown} neither follows nor replaces a symbolic link`, async () => {
      const path = join(folder, 'link');
      writeFileSync(join(folder, 'target'), 'mine');
      symlinkSync('target', path);
      const { status, stderr } = await pktcost([...args, '-o', path]);
      assert.equal(status, 2);
      assert.match(stderr, /is a symbolic link: name the file itself/);
      assert.equal(readlinkSync(path), 'target');
      assert.equal(readFileSync(path, 'utf8'), 'mine');
    });

    it(`${shown} writes to whoever reads a FIFO`, { skip: needsRoot }, async () => {
      const path = node('fifo', 'p');
      const reader = spawn('cat', [path], { stdio: ['ignore', 'pipe', 'inherit'] });
      // Opened for both ends it is there from the start, so that pktcost cannot come before its reader.
      const both = openSync(path, 'r+');
      const heard = text(reader.stdout);
      const { status, stderr } = await pktcost([...args, '-o', path]);
      closeSync(both);
      assert.equal(status, 0, stderr);
      assert.ok((await heard).length > 100);
      assert.ok(lstatSync(path).isFIFO());
    });

    it(`${shown} does not wait for a reader of a FIFO`, { skip: needsRoot }, async () => {
      const { status, stderr } = await pktcost([...args, '-o', node('fifo', 'p')]);
      assert.equal(status, 2);
      assert.match(stderr, /nobody reads it/);
    });

    for (const name of ['-', '/dev/stdout', '/dev/fd/1']) {
      it(`${shown} takes ${name} for stdout`, async () => {
        const { status, stdout, stderr } = await pktcost([...args, '-o', name]);
        assert.equal(status, 0, stderr);
        assert.ok(stdout.length > 100);
      });
    }
  }

  it("takes the shell's process substitution", { skip: lacking({ tools: ['/bin/bash'] }) }, () => {
    const command = `"$0" "$1" rules export -o >(gzip > "$2") && wait $!`;
    const path = join(folder, 'rules.gz');
    execFileSync('/bin/bash', ['-c', command, process.execPath, bin, path]);
    assert.match(execFileSync('zcat', [path], { encoding: 'utf8' }), /^groups:/m);
  });

  it('a bundle does not go to stdout', async () => {
    const { status, stderr } = await pktcost([...quick, '--bundle', '-']);
    assert.equal(status, 2);
    assert.match(stderr, /--bundle -: stdout is for the report/);
  });
});

describe('an output that is full', () => {
  for (const args of [
    quick,
    ['rules'],
    ['metrics'],
    ['taps'],
    ['doctor'],
    ['--help'],
    ['rules', 'explain', 'PKT0201'],
  ]) {
    it(`is one line for pktcost ${args[0] ?? ''}`, () => {
      const command = '("$@" >/dev/full; echo $? >&2) 2>&1';
      const stderr = execFileSync('/bin/sh', ['-c', command, 'sh', process.execPath, bin, ...args], {
        encoding: 'utf8',
      });
      assert.equal(stderr, 'pktcost: stdout: not written: no space left on device (ENOSPC)\n1\n');
    });
  }

  it('leaves the report on stdout, and the bundle where it belongs', { skip: needsRoot }, async () => {
    const bundle = join(folder, 'bundle.tar.gz');
    const { status, stdout, stderr } = await pktcost([
      ...[...quick, '--json', '-o', node('full', 'c', '1', '7')],
      ...['--bundle', bundle],
    ]);
    assert.equal(status, 1);
    assert.match(
      stderr,
      /^pktcost: --output \S+: not written: no space left on device \(ENOSPC\); it is on stdout instead\n$/,
    );
    JSON.parse(stdout);
    assert.ok(existsSync(bundle));
  });

  it('on a disk costs the bundle only, and leaves nothing half there', { skip: needsRoot }, async () => {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'pktcost-test', folder]);
    try {
      const { status, stdout, stderr } = await pktcost([...quick, '--json', '--bundle', join(folder, 'b.tar.gz')]);
      assert.equal(status, 1);
      assert.match(stderr, /^pktcost: --bundle \S+: not written: no space left on device \(ENOSPC\)/);
      JSON.parse(stdout);
      assert.deepEqual(readdirSync(folder), []);
    } finally {
      execFileSync('umount', [folder]);
    }
  });
});

describe('a file of an earlier run that was killed', () => {
  it(
    "is in nobody's way, also when process numbers come again",
    { skip: lacking({ tools: ['unshare'], root: true }) },
    async () => {
      const path = join(folder, 'report.json');
      // In a container pktcost is process 1 each time.
      for (const name of ['.report.json.1.tmp', '.report.json.2.tmp']) writeFileSync(join(folder, name), '');
      const { status, stderr } = await pktcost([...quick, '-o', path], {
        under: ['unshare', '--pid', '--fork', '--mount-proc'],
      });
      assert.equal(status, 0, stderr);
      assert.ok(existsSync(path));
    },
  );
});

describe('a name that somebody else takes meanwhile', () => {
  it('stays theirs, and the report goes to stdout', async () => {
    const path = join(folder, 'report.json');
    const { status, stdout, stderr } = await pktcost(
      ['diagnose', ...calm, '--json', '-o', path, '--window', '1500ms'],
      {
        during: () =>
          setTimeout(() => {
            writeFileSync(path, 'mine');
          }, 1000),
      },
    );
    assert.equal(status, 1);
    assert.match(stderr, /exists by now; nothing was overwritten; it is on stdout instead/);
    JSON.parse(stdout);
    assert.equal(readFileSync(path, 'utf8'), 'mine');
    assert.deepEqual(readdirSync(folder), ['report.json']);
  });
});
