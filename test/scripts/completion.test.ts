/** Completion of the three shells, each asked as it is when somebody presses the key. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import { COMMANDS } from '../../src/index.ts';
import { repository } from '../support/fixture.ts';
import { lacking } from '../support/needs.ts';

const folder = mkdtempSync(join(tmpdir(), 'pktcost-completion-'));
after(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** The completion asks the command for its codes. */
const bin = join(folder, 'bin');
mkdirSync(bin);
symlinkSync(join(repository, 'bin/pktcost.js'), join(bin, 'pktcost'));
const PATH = `${bin}:${process.env['PATH'] ?? ''}`;

const file = (name: string): string => join(repository, 'contrib/completion', name);
const commands = Object.keys(COMMANDS).filter((id) => !id.includes(':'));

function run(program: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): string {
  const { stdout, stderr, status } = spawnSync(program, args, {
    encoding: 'utf8',
    env: { ...process.env, PATH, ...env },
  });
  assert.equal(status, 0, stderr);
  assert.equal(stderr, '');
  return stdout;
}

describe('completion of bash', { skip: lacking({ tools: ['bash'] }) }, () => {
  const script = `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _pktcost; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const complete = (words: readonly string[], env = {}): string[] =>
    run('bash', ['--norc', '-c', script, 'bash', file('pktcost.bash'), 'pktcost', ...words], env)
      .split('\n')
      .filter((word) => word !== '');

  it('gives the commands', () => {
    assert.deepEqual(complete(['']), [...commands, '--help', '--version']);
    assert.deepEqual(complete(['di']), ['diagnose']);
    assert.deepEqual(complete(['rules', 'ex']), ['explain', 'export']);
  });

  it('gives the flags of the command, and the values of a flag however it is written', () => {
    for (const [id, { flags }] of Object.entries(COMMANDS)) {
      const wanted = [...Object.keys(flags).map((name) => `--${name}`), '--help'];
      assert.deepEqual(complete([...id.split(':'), '--']), wanted, id);
    }
    const probes = ['auto', 'taps', 'xdp', 'off'];
    assert.deepEqual(complete(['diagnose', '--probe', '']), probes);
    assert.deepEqual(complete(['diagnose', '--probe', '=']), probes);
    assert.deepEqual(complete(['diagnose', '--probe', '=', 't']), ['taps']);
    assert.deepEqual(complete(['diagnose', '--verbose', '--form']), ['--format']);
    assert.deepEqual(complete(['rules', 'explain', 'PKT020']).slice(0, 2), ['PKT0201', 'PKT0202']);
    assert.deepEqual(complete(['watch', '--until', 'PKT0201']), ['PKT0201']);
    assert.deepEqual(complete(['watch', '--until', 'w']), ['warning']);
    assert.ok(complete(['diagnose', '-i', '']).includes('lo'));
  });

  it('runs nothing that a namespace has for a name', () => {
    const evil = '$(touch${IFS}x)';
    const ls = join(folder, 'ls');
    writeFileSync(ls, `#!/bin/sh\necho '${evil}'\n`);
    chmodSync(ls, 0o755);
    const found = complete(['diagnose', '--netns', ''], { PATH: `${folder}:${process.env['PATH'] ?? ''}` });
    assert.deepEqual(found, ['all', 'none', '\\$\\(touch\\$\\{IFS\\}x\\)']);
  });
});

describe('completion of fish', { skip: lacking({ tools: ['fish'] }) }, () => {
  const complete = (line: string): string[] =>
    run('fish', ['--no-config', '-c', 'source $argv[1]; complete -C $argv[2]', file('pktcost.fish'), line], {
      HOME: folder,
      XDG_CONFIG_HOME: folder,
      XDG_DATA_HOME: folder,
    })
      .split('\n')
      .flatMap((each) => (each === '' ? [] : [each.split('\t', 1)[0] ?? '']));

  it('gives commands, flags and values', () => {
    assert.deepEqual(complete('pktcost ').sort(), [...commands].sort());
    assert.deepEqual(complete('pktcost rules e'), ['explain', 'export']);
    assert.deepEqual(complete('pktcost diagnose --probe ').sort(), ['auto', 'off', 'taps', 'xdp']);
    assert.deepEqual(complete('pktcost watch --unt'), ['--until']);
    assert.deepEqual(complete('pktcost rules explain PKT020').slice(0, 2), ['PKT0201', 'PKT0202']);
    assert.deepEqual(complete('pktcost watch --until PKT0201'), ['PKT0201']);
    assert.deepEqual(complete('pktcost watch --until w'), ['warning']);
  });
});

describe('completion of zsh', { skip: lacking({ tools: ['zsh', 'python3'] }) }, () => {
  /** zsh completes only at a prompt. Prints the line it has made of each, once it has made one. */
  const driver = `
import json, os, pty, re, select, sys, time
lines = json.loads(sys.argv[2])
pid, fd = pty.fork()
if pid == 0:
    os.execvpe('zsh', ['zsh', '-f', '-i'], {**os.environ, 'TERM': 'dumb', 'PS1': 'ready> '})
def until(wanted):
    got, end = '', time.monotonic() + 30
    while not re.search(wanted, got) and time.monotonic() < end:
        if select.select([fd], [], [], 0.1)[0]:
            got += os.read(fd, 65536).decode('utf8', 'replace')
    return got
until('ready> ')
os.write(fd, f"fpath=({sys.argv[1]} $fpath); autoload -Uz compinit; compinit -u -D; bindkey '^I' complete-word; PS1='set> '\\n".encode())
until('\\nset> |\\rset> ')
done = []
for line, wanted in lines:
    os.write(fd, (line + '\\t').encode())
    done.append(wanted in until(re.escape(wanted)))
    os.write(fd, b'\\x15')
os.write(fd, b'exit\\n')
print(json.dumps(done))
`;

  it('gives commands, flags and values', () => {
    const lines = [
      ['pktcost dia', 'pktcost diagnose '],
      ['pktcost rules expo', 'pktcost rules export '],
      ['pktcost diagnose --probe=t', '--probe=taps '],
      ['pktcost watch -w 5s --unt', '--until='],
      ['pktcost rules explain PKT0201 --js', '--json '],
      ['pktcost rules explain PKT050', 'PKT0501'],
      ['pktcost watch --until=warn', '--until=warning'],
    ];
    const done = run('python3', ['-c', driver, join(repository, 'contrib/completion'), JSON.stringify(lines)]);
    assert.deepEqual(
      JSON.parse(done),
      lines.map(() => true),
    );
  });
});
