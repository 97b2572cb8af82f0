import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import { bin, pktcost } from '../support/command.ts';
import { serve } from '../support/http.ts';
import { lacking } from '../support/needs.ts';
import { onTerminal, withoutTerminal } from '../support/terminal.ts';

const folder = mkdtempSync(join(tmpdir(), 'pktcost-files-'));
after(() => {
  rmSync(folder, { recursive: true, force: true });
});

const withoutFifo = lacking({ tools: ['mkfifo'] });

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

function fifo(path: string): string {
  execFileSync('mkfifo', [path]);
  return path;
}

async function refused(args: readonly string[], line: RegExp): Promise<void> {
  const { status, signal, stdout, stderr } = await pktcost(args, {
    during: (child) => setTimeout(() => child.kill('SIGKILL'), 20_000).unref(),
  });
  assert.equal(signal, null, 'it hangs');
  assert.equal(status, 2, stderr);
  assert.equal(stdout, '');
  assert.match(stderr, line);
  assert.equal(stderr.trimEnd().split('\n').length, 1);
}

describe('a file that is none', () => {
  const name = join(folder, 'fifo');
  const server = ['fleet', '--prometheus', 'http://127.0.0.1:1'];
  for (const [what, args] of [
    ['--config', ['diagnose', '--config']],
    ['--config of rules export', ['rules', 'export', '--config']],
    ['--token-file', [...server, '--token-file']],
    ['--baseline', ['diagnose', '--baseline']],
    ['replay', ['replay']],
    ['compare', ['compare', '/dev/null']],
  ] as const) {
    it(`${what} does not wait for a FIFO`, { skip: withoutFifo }, async () => {
      rmSync(name, { force: true });
      await refused([...args, fifo(name)], /pipe|neither a file nor a folder|not a file/);
    });
    it(`${what} does not read an endless device`, () =>
      refused([...args, '/dev/zero'], /device|neither a file nor a folder/));
  }

  it(
    "a token comes from the shell's process substitution all the same",
    { skip: lacking({ tools: ['/bin/bash'] }) },
    () => {
      const command = '"$0" "$1" rules export --config <(echo \'{"thresholds":{"PKT0201":{"usage":0.5}}}\')';
      assert.match(
        execFileSync('/bin/bash', ['-c', command, process.execPath, bin], { encoding: 'utf8' }),
        /^groups:/m,
      );
    },
  );

  it('in the place of a process name, its descriptors or BTF holds nobody up', { skip: withoutFifo }, async () => {
    const [proc, sys] = [join(folder, 'proc'), join(folder, 'sys')];
    mkdirSync(join(proc, '1'), { recursive: true });
    mkdirSync(join(proc, '2'));
    mkdirSync(join(sys, 'kernel/btf'), { recursive: true });
    for (const path of [`${proc}/1/comm`, `${proc}/1/fd`, `${proc}/1/stat`, `${sys}/kernel/btf/vmlinux`]) fifo(path);
    for (const path of [`${proc}/2/comm`, `${proc}/stat`]) symlinkSync('/dev/zero', path);
    const { signal, status, stderr } = await pktcost(
      ['diagnose', '--window', '500ms', '--path.procfs', proc, '--path.sysfs', sys],
      { during: (child) => setTimeout(() => child.kill('SIGKILL'), 30_000).unref() },
    );
    assert.equal(signal, null, 'it hangs');
    assert.notEqual(status, 1, stderr);
  });

  it('a root that is not there', () =>
    refused(['diagnose', '--path.procfs', '/nonexist'], /--path\.procfs \/nonexist: no such file or directory/));
});

describe('JSON without measure', () => {
  const deep = '['.repeat(100_000);
  const wide = `[${'{},'.repeat(5_000_000)}{}]`;
  it('deep in a configuration', () =>
    refused(['rules', 'export', '--config', file('deep.json', deep)], /within each other/));
  it('deep in a report', () => refused(['compare', file('a.json', deep), '/dev/null'], /within each other/));
  it('wide in a configuration', () =>
    refused(['rules', 'export', '--config', file('wide.json', wide.slice(0, 900_000))], /more values/));
  it('wide in a baseline', () => refused(['diagnose', '--baseline', file('b.json', wide)], /more values/));
});

describe('a process that is not there', () => {
  it('has no namespace to look into', () =>
    refused(
      ['diagnose', '--window', '500ms', '--netns', '999999999'],
      /--netns 999999999: there is no process 999999999/,
    ));
});

describe('what a server repeats of our secrets', () => {
  it('is not in the report or in a message', async () => {
    const token = 'tok-SECRET-0123456789abcdef';
    const page = (status: number, body: string): Promise<string> => answered(token, status, body);
    const error = await page(422, `{"status":"error","error":"bad Bearer ${token}"}`);
    assert.doesNotMatch(error, /SECRET/);
    assert.match(error, /bad Bearer \*+/);
    const labels = `{"status":"success","data":{"resultType":"vector","result":[{"metric":{"job":"${token}","instance":"${token}:1"},"value":[1,"1"]}]}}`;
    assert.doesNotMatch(await page(200, labels), /SECRET/);
  });
});

async function answered(token: string, status: number, body: string): Promise<string> {
  const server = await serve((_, response) =>
    response.writeHead(status, { 'content-type': 'application/json' }).end(body),
  );
  try {
    const args = ['fleet', '--prometheus', server.url, '--token-file', file('token', token), '--at', '1772357400'];
    const { stdout, stderr } = await pktcost([...args, '--json']);
    return stdout + stderr;
  } finally {
    await server.close();
  }
}

describe('names on a terminal', { skip: withoutTerminal }, () => {
  it('cannot steer it from the page of metrics', async () => {
    const proc = join(folder, 'proc-escape');
    mkdirSync(join(proc, 'net'), { recursive: true });
    const row = '0 '.repeat(16);
    writeFileSync(join(proc, 'net/dev'), `Inter-|\n face |bytes\n a\u001b[31mb: ${row}\n`);
    const { screen } = await onTerminal(['metrics', '--path.procfs', proc], { steps: [] });
    assert.match(screen, /device="a\\x1b\[31mb"/);
    assert.doesNotMatch(screen, /\u001b\[31m/);
  });
});

describe('an environment made for developers', () => {
  it('changes nothing', async () => {
    const { status, stderr } = await pktcost(['rules'], { env: { NODE_ENV: 'development' } });
    assert.equal(status, 0);
    assert.equal(stderr, '');
  });
});
