import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { stripVTControlCharacters } from 'node:util';

import { bin } from '../support/command.ts';
import { otherNodes } from '../support/nodes.ts';
import { onTerminal, withoutTerminal } from '../support/terminal.ts';

const folder = mkdtempSync(join(tmpdir(), 'pktcost-code-'));
after(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** Run before pktcost, it writes what V8 says of the compiled code that it is handed with the bundle. */
const listener = join(folder, 'listener.cjs');
const heard = join(folder, 'heard');
writeFileSync(
  listener,
  `const vm = require('node:vm');
  vm.Script = class extends vm.Script {
    constructor(source, options) {
      super(source, options);
      require('node:fs').writeFileSync(${JSON.stringify(heard)}, String(this.cachedDataRejected));
    }
  };`,
);

/** Help of a width that was asked for is made by the bundle. */
const asOnTerminal = { ...process.env, OCLIF_COLUMNS: '80' };

describe('the code that V8 made of the bundle at build time', () => {
  for (const { major, program } of [
    ...otherNodes.filter(({ program }) => existsSync(program)),
    { major: 'of the tests', program: process.execPath },
  ])
    for (const words of [['--help'], ['rules'], ['diagnose', '--windw', '1s']])
      it(`is taken by Node ${major} for pktcost ${words.join(' ')}`, () => {
        rmSync(heard, { force: true });
        spawnSync(program, ['--require', listener, bin, ...words], { env: asOnTerminal });
        assert.equal(readFileSync(heard, 'utf8'), 'false', 'refused, or not there');
      });
});

describe('of pktcost', () => {
  /** The files of dist/ that a command line makes a program of, by their names. */
  const loadedFor = (...words: readonly string[]): readonly string[] => {
    const list = join(folder, 'scripts');
    const lister = join(folder, 'scripts.cjs');
    rmSync(list, { force: true });
    writeFileSync(
      lister,
      `const vm = require('node:vm');
      vm.Script = class extends vm.Script {
        constructor(source, options) {
          super(source, options);
          require('node:fs').appendFileSync(${JSON.stringify(list)}, require('node:path').basename(options.filename) + ' ');
        }
      };`,
    );
    spawnSync(process.execPath, ['--require', lister, bin, ...words], { env: asOnTerminal });
    return readFileSync(list, 'utf8').trim().split(' ');
  };

  it('a command loads the part that it is in, and no other', () => {
    for (const [id, part] of Object.entries({
      compare: 'recorded',
      replay: 'recorded',
      rules: 'rulebook',
      'rules explain': 'rulebook',
      'rules:export': 'rulebook',
      diagnose: 'live',
      doctor: 'live',
      fleet: 'live',
      metrics: 'live',
      record: 'live',
      taps: 'live',
      watch: 'live',
    }))
      assert.deepEqual(loadedFor(...id.split(' '), '--nosuch'), [`${part}.cjs`], id);
    assert.deepEqual(loadedFor('diagnos'), ['index.cjs']);
    assert.deepEqual(loadedFor('diagnose', '--help'), ['index.cjs']);
  });
});

describe('of Node', () => {
  const copy = 'test/fixtures/copies/control-lldp-rx-dropped';
  for (const [words, unneeded] of [
    [['rules'], ['stream', 'v8']],
    [
      ['replay', `${copy}/before`, `${copy}/after`],
      ['perf_hooks', 'worker_threads'],
    ],
  ] as const)
    it(`pktcost ${words[0]} loads what it uses`, () => {
      const list = join(folder, 'list');
      const lister = join(folder, 'lister.cjs');
      writeFileSync(
        lister,
        `process.on('exit', () => require('node:fs').writeFileSync(${JSON.stringify(list)}, process.moduleLoadList.join('\\n')));`,
      );
      // To a file: of a pipe Node makes a socket when it is written to, and stderr is one.
      const output = openSync(join(folder, 'output'), 'w');
      spawnSync(process.execPath, ['--require', lister, bin, ...words], { stdio: ['ignore', output, output] });
      closeSync(output);
      const loaded = readFileSync(list, 'utf8').split('\n');
      assert.ok(loaded.length > 10);
      const seldom = ['child_process', 'crypto', 'net', 'zlib', ...unneeded].map((name) => `NativeModule ${name}`);
      assert.deepEqual(
        seldom.filter((name) => loaded.includes(name)),
        [],
      );
    });
});

describe('the help', () => {
  const told = (words: readonly string[], env: NodeJS.ProcessEnv = process.env) => {
    rmSync(heard, { force: true });
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--require', listener, bin, ...words], {
      encoding: 'utf8',
      env,
    });
    return { said: { status, stdout, stderr }, loaded: existsSync(heard) };
  };

  for (const words of [
    [],
    ['-h'],
    ['help'],
    ['help', 'taps'],
    ['diagnose', '--help'],
    ['rules', 'explain', '-h'],
    ['rules:export', '-h'],
  ])
    it(`of pktcost ${words.join(' ')} is said without the bundle, as the bundle would say it`, () => {
      const quick = told(words);
      const whole = told(words, asOnTerminal);
      assert.deepEqual([quick.loaded, whole.loaded], [false, true]);
      assert.equal(quick.said.status, 0);
      assert.deepEqual(quick.said, whole.said);
    });

  it("is the bundle's where it is in colours, of another width, or of no command", () => {
    for (const env of [{ FORCE_COLOR: '1' }, { OCLIF_COLUMNS: '132' }])
      assert.equal(told(['--help'], { ...process.env, ...env }).loaded, true);
    for (const words of [
      ['nosuch', '--help'],
      ['__proto__', '--help'],
      ['diagnose', '--help', '--json'],
    ])
      assert.equal(told(words).loaded, true, words.join(' '));
  });

  it('fits a narrow terminal', { skip: withoutTerminal }, async () => {
    const { screen } = await onTerminal(['--help'], { steps: [], size: [24, 60] });
    // oclif breaks no line of the summary on top.
    const [, text = ''] = stripVTControlCharacters(screen).split('USAGE');
    assert.ok(text.includes('pktcost [COMMAND]'));
    for (const line of text.split(/\r?\n/)) assert.ok(line.length <= 60, line);
  });
});

describe('the version', () => {
  it('is said without the bundle, as the bundle would say it', () => {
    const said = ['--version', '-V', 'version'].map((word) => {
      rmSync(heard, { force: true });
      const { stdout } = spawnSync(process.execPath, ['--require', listener, bin, word], { encoding: 'utf8' });
      assert.ok(!existsSync(heard), 'the bundle was loaded');
      return stdout;
    });
    // oclif takes it for its own only as the first word; to a stdout that takes nothing it is the bundle that answers.
    const { stdout } = spawnSync(
      '/bin/sh',
      [
        '-c',
        '"$0" "$@" --version >/dev/full; test -e "$HEARD" && echo the bundle',
        process.execPath,
        '--require',
        listener,
        bin,
      ],
      {
        encoding: 'utf8',
        env: { ...process.env, HEARD: heard },
      },
    );
    assert.equal(stdout, 'the bundle\n');
    assert.deepEqual(new Set(said).size, 1);
    assert.match(said[0] ?? '', /^pktcost\/\d+\.\d+\.\d+ linux-\w+ node-v\d/);
  });
});
