import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import { pktcost } from '../support/command.ts';

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
  it('an unknown format', () => refused(['diagnose', '--format', 'yaml'], /format/));
  it('an impossible budget', () => refused(['diagnose', '--max-overhead', '200%'], /"200%" is not a share/));
  it('an unknown rule', () => refused(['rules', 'explain', 'PKT0210'], /no rule "PKT0210": did you mean PKT02\d\d\?/));
  it('a config that is not there', () =>
    refused(['diagnose', '--config', join(folder, 'absent.json')], /absent\.json: cannot be read: ENOENT/));
  it('a config that is not JSON', () =>
    refused(['diagnose', '--config', file('broken.json', '{"thresholds":')], /broken\.json: not JSON/));
  it('a config with a limit the rule does not have, by its JSON pointer', () =>
    refused(
      ['diagnose', '--config', file('limit.json', '{"thresholds":{"PKT0201":{"usag":0.5}}}')],
      /\/thresholds\/PKT0201\/usag: the rule has no such limit: did you mean "usage"\?/,
    ));
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
  it('rules explain without a rule', () => refused(['rules', 'explain'], /required arg: code/));
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
    refused(['diagnose', '--output', join(folder, 'no', 'report.txt')], /cannot be written: ENOENT/));
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
