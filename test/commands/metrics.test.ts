import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { after, describe, it } from 'node:test';

import { pktcost } from '../support/command.ts';
import { lacking } from '../support/needs.ts';
import { TestNamespace, withoutRoot } from '../support/root.ts';

const folder = mkdtempSync(join(tmpdir(), 'pktcost-metrics-'));
after(() => {
  rmSync(folder, { recursive: true, force: true });
});

async function page(...args: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await pktcost(['metrics', ...args]);
  assert.equal(stderr, '');
  assert.equal(status, 0);
  return stdout;
}

describe('pktcost metrics', () => {
  it('--own leaves out what node_exporter has a name for', async () => {
    const names = (await page('--own'))
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => /^(?:# (?:HELP|TYPE) )?(\w+)/.exec(line)?.[1] ?? line);
    assert.ok(names.includes('pktcost_kernel_feature'));
    assert.deepEqual(
      names.filter((name) => !/^pktcost_|^node_nodeconfig_|^node_ebpf_pmd_jitter_/.test(name)),
      [],
    );
  });

  it('--netns looks into other namespaces, and only when told to', { skip: withoutRoot }, async () => {
    const namespace = new TestNamespace();
    try {
      const overflows = `node_netstat_TcpExt_ListenOverflows{netns="${namespace.name}"} 0\n`;
      assert.ok((await page('--netns', namespace.name)).includes(overflows));
      assert.ok(!(await page()).includes(namespace.name));
    } finally {
      await namespace.remove();
    }
  });

  it('refuses a namespace that is not there', { skip: withoutRoot }, async () => {
    const { status, stderr } = await pktcost(['metrics', '--netns', 'no-such-namespace']);
    assert.equal(status, 2);
    assert.match(stderr, /^pktcost: --netns no-such-namespace: [^\n]*\n$/);
  });
});

const EXPORTER = 'prometheus-node-exporter';

/** What a node_exporter shows that reads our page, and what it complained of. */
async function scraped(port: number, ...flags: readonly string[]): Promise<{ page: string; complaints: string }> {
  const address = `127.0.0.1:${port}`;
  const child = spawn(EXPORTER, [
    `--web.listen-address=${address}`,
    `--collector.textfile.directory=${folder}`,
    '--log.level=warn',
    ...flags,
  ]);
  let complaints = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (complaints += text));
  try {
    for (const deadline = Date.now() + 10_000; ;) {
      const shown = await fetch(`http://${address}/metrics`).then(
        (response) => response.text(),
        () => undefined,
      );
      if (shown !== undefined) return { page: shown, complaints };
      assert.ok(Date.now() < deadline && child.exitCode === null, `${EXPORTER} does not answer: ${complaints}`);
      await pause(50);
    }
  } finally {
    child.kill();
    await once(child, 'exit');
  }
}

describe('a node_exporter takes the page', { skip: lacking({ tools: [EXPORTER] }) }, () => {
  const ours = /^pktcost_kernel_feature\{feature="btf"\} [01]$/m;
  const theirs = /^node_cpu_seconds_total\{cpu="0",mode="idle"\} /m;

  it('with --own beside its own collectors', async () => {
    await page('--own', '--output', join(folder, 'pktcost.prom'));
    const shown = await scraped(19_871);
    assert.match(shown.page, ours);
    assert.match(shown.page, theirs);
    assert.match(shown.page, /^node_textfile_scrape_error 0$/m);
    assert.doesNotMatch(shown.complaints, /collected metric/);
  });

  it('as a whole without them', async () => {
    await page('--output', join(folder, 'pktcost.prom'));
    const shown = await scraped(19_872, '--collector.disable-defaults', '--collector.textfile');
    assert.match(shown.page, ours);
    assert.match(shown.page, theirs);
    assert.match(shown.page, /^node_textfile_scrape_error 0$/m);
    assert.doesNotMatch(shown.complaints, /collected metric/);
  });
});
