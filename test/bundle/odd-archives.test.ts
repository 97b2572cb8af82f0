import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, it } from 'node:test';

import { openEvidence } from '../../src/bundle/open.ts';
import { collectors } from '../../src/collectors/index.ts';
import { evaluateRules } from '../../src/rules/engine.ts';
import { rules } from '../../src/rules/index.ts';
import { lacking } from '../support/needs.ts';

const folder = mkdtempSync(join(tmpdir(), 'pktcost-odd-'));
after(() => {
  rmSync(folder, { recursive: true, force: true });
});

const table = 'proc/sys/net/netfilter/nf_conntrack';
/** A host whose conntrack table is full. */
const sick = { [`${table}_count`]: '65536\n', [`${table}_max`]: '65536\n', 'proc/uptime': '86400.00 1.00\n' };

function write(root: string, files: Readonly<Record<string, string>>): void {
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), content);
  }
}

/** An archive of a report: what comes first in it, and with which words tar packs it. */
function packed(name: string, first: Readonly<Record<string, string>>, words: readonly string[] = []): string {
  const root = join(folder, name);
  const [before, all] = [join(root, 'before'), join(root, 'all')];
  write(before, first);
  write(all, Object.fromEntries(Object.entries(sick).map(([path, content]) => [`sosreport-x/${path}`, content])));
  const path = join(root, 'report.tar');
  execFileSync('tar', [...words, '-cf', path, '-C', before, '.', '-C', all, 'sosreport-x']);
  return path;
}

async function judged(path: string): Promise<string> {
  const opened = await openEvidence(path);
  assert.ok(opened.ok, opened.ok ? '' : opened.reason);
  const findings = evaluateRules(opened.value.window(collectors), rules);
  return findings.find(({ code }) => code === 'PKT0202')?.outcome ?? '';
}

describe('an archive of a report', { skip: lacking({ tools: ['tar'] }) }, () => {
  it('is of the host, whatever copies of containers and trees within trees come first', async () => {
    const inside = {
      'sosreport-x/sos_containers/web/proc/uptime': '5.00 1.00\n',
      [`sosreport-x/sos_containers/web/${table}_count`]: '3\n',
      'sosreport-x/sos_containers/web/sos_commands/networking/netstat_-s': 'Tcp:\n',
    };
    assert.equal(await judged(packed('containers', inside)), 'warning');
    assert.equal(await judged(packed('deeper', { 'sosreport-x/var/lib/thing/sys/a': '1\n' })), 'warning');
  });

  it('of containers only is none', async () => {
    const root = join(folder, 'alone');
    write(root, { 'sosreport-x/sos_containers/web/proc/uptime': '5.00 1.00\n' });
    const path = join(root, 'report.tar');
    execFileSync('tar', ['-cf', path, '-C', root, 'sosreport-x']);
    const opened = await openEvidence(path);
    assert.ok(!opened.ok);
  });

  for (const format of ['gnu', 'posix'] as const) {
    it(`with files that have holes is read beyond them (${format})`, async () => {
      const name = `sparse-${format}`;
      const log = join(folder, name, 'before', 'sosreport-x', 'var', 'log', 'lastlog');
      mkdirSync(dirname(log), { recursive: true });
      const file = openSync(log, 'w');
      // More pieces than one header has room for.
      for (let piece = 0; piece < 40; piece += 1) writeSync(file, Buffer.alloc(4096, 'x'), 0, 4096, piece << 20);
      closeSync(file);
      assert.equal(await judged(packed(name, {}, [`--format=${format}`, '--sparse'])), 'warning');
    });
  }
});
