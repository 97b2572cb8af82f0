import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import { COMMANDS } from '../../src/index.ts';
import { pktcost } from '../support/command.ts';
import { repository } from '../support/fixture.ts';

const folder = mkdtempSync(join(tmpdir(), 'pktcost-usage-'));
after(() => {
  rmSync(folder, { recursive: true, force: true });
});

function file(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** One line on stderr, nothing on stdout, exit code 2. */
async function refused(args: readonly string[], line: RegExp): Promise<void> {
  const { status, stdout, stderr } = await pktcost(args);
  assert.equal(status, 2, stderr);
  assert.equal(stdout, '');
  assert.match(stderr, line);
  assert.equal(stderr.trimEnd().split('\n').length, 1, `more than one line: ${stderr}`);
  assert.doesNotMatch(stderr, /\n\s+at /);
}

describe('bad usage is one clear line and exit code 2', () => {
  it('a misspelt flag', () => refused(['diagnose', '--windw', '3s'], /windw: did you mean --window\?/));
  it('an unknown command', () => refused(['diagnos'], /no command "diagnos": did you mean "pktcost diagnose"\?/));
  it('the help of a command that is none', () =>
    refused(['nosuch', '--help'], /^pktcost: there is no command "nosuch": see pktcost --help\n$/));
  it('the help of a misspelt command', () =>
    refused(['diagnos', '--help'], /no command "diagnos": did you mean "pktcost diagnose"\?/));
  it('an argument that a command does not take, whole', () =>
    refused(['fleet', 'http://db:9090'], /^pktcost: fleet takes no "http:\/\/db:9090": see pktcost fleet --help\n$/));
  it('a file that is no evidence of any kind', () =>
    refused(
      ['replay', file('passwd', 'root:x:0:0:root:/root:/bin/bash\n')],
      /passwd: neither a bundle nor a report, /,
    ));
  it('a flag without a command', () =>
    refused(['--windw', '3s'], /^pktcost: there is no flag --windw without a command/));
  it('arguments that are missing, whatever the width of the terminal', () =>
    refused(
      ['compare'],
      /^pktcost: BEFORE is missing: report or bundle; AFTER is missing: report or bundle; see --help\n$/,
    ));
  it('a flag that is missing, without the colours that oclif gives it', async () => {
    const { status, stderr } = await pktcost(['record'], { env: { FORCE_COLOR: '1' } });
    assert.equal(stderr, 'pktcost: --bundle is missing; see --help\n');
    assert.equal(status, 2);
  });
  it('a way of XDP without XDP', () =>
    refused(['diagnose', '--xdp-mode', 'native'], /--xdp-mode native is for the XDP program: it takes --probe xdp/));
  it('a share of more than all', () =>
    refused(['diagnose', '--max-overhead', '200%'], /"200%" is not a share, above 0% and up to 100%/));
  it('a server that is no URL', () =>
    refused(['fleet', '--prometheus', 'db'], /not a URL: write it like http:\/\/prometheus:9090/));
  it('a baseline that is not there', () =>
    refused(['diagnose', '--baseline', '/no/such'], /--baseline \/no\/such: no such file or directory \(ENOENT\)/));
  it('a window without a unit', () =>
    refused(['diagnose', '--window', '30'], /"30" is not a length of time: write it like 500ms/));
  it('a window too short', () => refused(['diagnose', '--window', '100ms'], /out of range: from 500ms to 1h/));
  it('a window too long', () => refused(['diagnose', '--window', '2h'], /out of range: from 500ms to 1h/));
  it('a device that does not exist', () =>
    refused(['diagnose', '-i', 'lol'], /--interface lol: no such network device: did you mean lo\?/));
  it('a namespace that does not exist', () =>
    refused(
      ['diagnose', '--netns', 'no-such-namespace'],
      /--netns no-such-namespace: .*no-such-namespace|needs the live host/,
    ));
  it('takes limits from the folder of configuration, and flags from the environment', async () => {
    const folderOf = join(folder, 'xdg');
    mkdirSync(join(folderOf, 'pktcost'), { recursive: true });
    writeFileSync(join(folderOf, 'pktcost', 'config.json'), '{"thresholds":{"PKT0201":{"usage":0.5}}}');
    const env = { XDG_CONFIG_HOME: folderOf, PKTCOST_WINDOW: '500ms', PKTCOST_PROBE: 'off', PKTCOST_JSON: '1' };
    const { stdout, stderr } = await pktcost(['diagnose', '--netns', 'none'], { env });
    const report = JSON.parse(stdout) as {
      readonly thresholds: readonly { readonly code: string; readonly value: number }[];
      readonly window: { readonly requestedSeconds: number };
    };
    assert.deepEqual(
      [report.window.requestedSeconds, ...report.thresholds.map(({ code, value }) => `${code} ${value}`)],
      [0.5, 'PKT0201 0.5'],
      stderr,
    );
    writeFileSync(join(folderOf, 'pktcost', 'config.json'), '{');
    const { status, stderr: wrong } = await pktcost(['rules', 'export'], { env });
    assert.equal(status, 2);
    assert.match(wrong, /^pktcost: .*xdg\/pktcost\/config\.json: /);
  });
  it('two formats', () =>
    refused(['diagnose', '--json', '--format', 'html'], /--json and --format html contradict each other: give one/));
  it('a process that is none', () =>
    refused(['diagnose', '--netns', '999999999'], /there is no process|needs the live/));
  it('limits for a report, which has no evidence', async () => {
    const report = file('report-only.json', readFileSync(join(repository, 'docs/examples/report.json'), 'utf8'));
    await refused(
      ['replay', report, '--config', file('limits.json', '{}')],
      /is a report: its limits cannot be changed/,
    );
    const { status, stdout } = await pktcost(['replay', report, '--format', 'html']);
    assert.equal(status, 3);
    assert.match(stdout, /^<!doctype html>/i);
  });
  it('two reports as one window', async () => {
    const report = join(repository, 'docs/examples/report.json');
    await refused(
      ['replay', report, report],
      /report\.json is a report and judged already: pktcost compare \S+ \S+ says/,
    );
    await refused(['replay', join(repository, 'docs'), report], /report\.json is a report and judged already/);
  });
  it('a switch of the environment that is neither on nor off', async () => {
    const args = ['replay', join(repository, 'docs/examples/report.json')];
    const { status, stderr } = await pktcost(args, { env: { PKTCOST_VERBOSE: 'on' } });
    assert.equal(status, 2);
    assert.equal(stderr, 'pktcost: PKTCOST_VERBOSE=on: must be 1, true, yes, 0, false or no\n');
    const off = await pktcost(args, { env: { PKTCOST_VERBOSE: 'No' } });
    assert.equal(off.status, 3, off.stderr);
  });
  it('a form for a report that goes nowhere', () =>
    refused(['watch', '--format', 'html'], /--format is for the file with the report: it takes --output/));
  it('a device that no namespace has', async () => {
    await refused(['taps', '-i', 'lol'], /--interface lol: no such network device: did you mean lo\?/);
    await refused(['doctor', '-i', 'lol'], /--interface lol: no such network device: did you mean lo\?/);
  });
  it('an unknown format', () => refused(['diagnose', '--format', 'yaml'], /format/));
  it('an impossible budget', () => refused(['diagnose', '--max-overhead', '200%'], /"200%" is not a share/));
  it('an unknown rule', () => refused(['rules', 'explain', 'PKT0210'], /no rule "PKT0210": did you mean PKT0\d\d\d\?/));
  it('a config that is not there', () =>
    refused(
      ['diagnose', '--config', join(folder, 'absent.json')],
      /absent\.json: cannot be read: no such file or directory \(ENOENT\)/,
    ));
  it('a config that is not JSON', () =>
    refused(['diagnose', '--config', file('broken.json', '{"thresholds":')], /broken\.json: not JSON/));
  it('a config with a limit the rule does not have, by its JSON pointer', () =>
    refused(
      ['diagnose', '--config', file('limit.json', '{"thresholds":{"PKT0201":{"usag":0.5}}}')],
      /\/thresholds\/PKT0201\/usag: the rule has no such limit: did you mean "usage"\?/,
    ));
  it('a config of taps, which has limits of its price', async () => {
    await refused(
      ['taps', '--config', file('taps.json', '{"thresholds":{"PKT0101":{"sample":9}}}')],
      /\/thresholds\/PKT0101\/sample: the rule has no such limit: did you mean "samples"\?/,
    );
    const { status } = await pktcost([
      'taps',
      ...['--netns', 'none', '--config', file('samples.json', '{"thresholds":{"PKT0101":{"samples":9}}}')],
    ]);
    assert.equal(status, 0);
  });
  it('a config for a rule that does not exist', () =>
    refused(
      ['diagnose', '--config', file('rule.json', '{"thresholds":{"PKT9999":{"usage":0.5}}}')],
      /\/thresholds\/PKT9999: there is no such rule/,
    ));
  it('a config with a name that is none, by that name', () =>
    refused(
      ['diagnose', '--config', file('name.json', '{"rules":{"PKT0201":{}}}')],
      /name\.json: \/: must NOT have additional properties "rules"/,
    ));
  it('a baseline that is no JSON, quoted on one line', () =>
    refused(['diagnose', '--baseline', file('lines.json', 'a\nb\n')], /lines\.json: not JSON/));
  it('rules explain without a rule', () => refused(['rules', 'explain'], /CODE is missing: a code such as PKT0201/));
  it('a misspelt second word of a command', () =>
    refused(['rules', 'explan', 'PKT0201'], /no command "rules explan": did you mean "pktcost rules explain"\?/));
  it('an argument where none is taken', () => refused(['diagnose', 'eth0'], /diagnose takes no "eth0"/));
  it('a flag that must be there', () => refused(['record'], /^pktcost: --bundle is missing; see --help$/m));
  it('two files too few', () => refused(['compare'], /BEFORE is missing: report or bundle; AFTER is missing/));
  it('text for a number', () =>
    refused(['fleet', '--prometheus', 'http://x', '--top', 'x'], /--top x: must be an integer/));
  it('a flag twice', () => refused(['diagnose', '-w', '1s', '-w', '2s'], /--window is given twice/));
  it('a config with text for a number', () =>
    refused(
      ['diagnose', '--config', file('text.json', '{"thresholds":{"PKT0201":{"usage":"high"}}}')],
      /\/thresholds\/PKT0201\/usage: must be number/,
    ));
  it('what is for the probe, where no probe is wanted', () =>
    refused(['metrics', '--probe', 'xdp'], /--probe is for the probe: it takes --window/));
  it('a baseline that is no report', () =>
    refused(['diagnose', '--baseline', file('baseline.json', '{"hello":1}')], /baseline\.json: not a pktcost report/));
  it('an output file that exists, before the window is spent', () =>
    refused(
      ['diagnose', '--window', '1h', '--output', file('taken.txt', 'mine')],
      /taken\.txt: exists already; nothing was overwritten/,
    ));
  it('an output folder that does not exist', () =>
    refused(
      ['diagnose', '--output', join(folder, 'no', 'report.txt')],
      /cannot be written: no such file or directory \(ENOENT\)/,
    ));
});

describe('the help', () => {
  for (const id of ['', ...Object.keys(COMMANDS)]) {
    const words = id.split(':').filter((word) => word !== '');
    it(`of "${words.join(' ')}" has 80 columns and names no variable at each flag`, async () => {
      const { status, stdout, stderr } = await pktcost([...words, '--help']);
      assert.equal(status, 0, stderr);
      assert.deepEqual(
        stdout.split('\n').filter((line) => line.length > 80),
        [],
      );
      assert.doesNotMatch(stdout, /env: |<value>/);
      if (id === '') assert.match(stdout, /--fail-on as PKTCOST_FAIL_ON/);
    });
  }
});

describe('what people try first', () => {
  for (const [asked, answer] of [
    [['-h'], /COMMANDS/],
    [['help'], /COMMANDS/],
    [[], /COMMANDS/],
    [['help', 'rules', 'explain'], /What a rule means/],
    [['diagnose', '-h'], /--window/],
    [['-V'], /^pktcost\/\d/],
    [['version'], /^pktcost\/\d/],
  ] as const) {
    it(`pktcost ${asked.join(' ')}`, async () => {
      const { status, stdout, stderr } = await pktcost(asked);
      assert.equal(status, 0, stderr);
      assert.equal(stderr, '');
      assert.match(stdout, answer);
    });
  }
});

describe('output that nobody reads to its end', () => {
  for (const args of [['rules'], ['metrics']]) {
    it(`is no error of pktcost ${args.join(' ')}`, async () => {
      const { status, stderr } = await pktcost(args, { during: ({ stdout }) => stdout?.destroy() });
      assert.equal(stderr, '');
      assert.equal(status, 0);
    });
  }
});

describe('a home that is not ours', () => {
  it('is not looked into', { skip: process.getuid?.() !== 0 && 'needs root' }, async () => {
    const { status, stderr } = await pktcost(['rules'], { uid: 65534, env: { HOME: '/root' } });
    assert.equal(stderr, '');
    assert.equal(status, 0);
  });
});
