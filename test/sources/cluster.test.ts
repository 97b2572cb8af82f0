import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, it } from 'node:test';

import { openEvidence } from '../../src/bundle/open.ts';
import { collectors } from '../../src/collectors/index.ts';
import { evaluateRules } from '../../src/rules/engine.ts';
import { rules } from '../../src/rules/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'pktcost-cluster-'));
after(() => {
  rmSync(folder, { recursive: true, force: true });
});

let made = 0;
function folderOf(files: Readonly<Record<string, string>>): string {
  const top = join(folder, `${(made += 1)}`, 'dump');
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(top, path)), { recursive: true });
    writeFileSync(join(top, path), content);
  }
  return top;
}

const fenced = (command: string, output: string): string => `# ${command}\n\n\`\`\`\n${output}\n\`\`\`\n`;
const node = (name: string): Record<string, string> => ({
  [`${name}/cmd/sysctl--a.md`]: fenced(
    'sysctl -a',
    'net.core.somaxconn = 4096\nnet.netfilter.nf_conntrack_count = 262100\nnet.netfilter.nf_conntrack_max = 262144',
  ),
  [`${name}/cmd/uname--a.md`]: fenced(
    'uname -a',
    'Linux worker-3 5.15.0-91-generic #101-Ubuntu SMP x86_64 x86_64 x86_64 GNU/Linux',
  ),
  [`${name}/cmd/uptime.md`]: fenced('uptime', ' 11:00:01 up 40 days,  3:12,  0 users,  load average: 0.00, 0.01, 0.05'),
  [`${name}/cmd/cat--proc-net-xfrm_stat.md`]: fenced('cat /proc/net/xfrm_stat', 'XfrmInError 0\nXfrmInNoStates 9'),
  [`${name}/cmd/ip-a.md`]: fenced('ip a', '1: lo: <LOOPBACK>'),
});
const cluster = { 'cilium-nodes-2024.yaml': 'items: []\n', 'k8s-pods-2024.yaml': 'items: []\n' };

describe('dumps of clusters', () => {
  it('are judged by the settings and files of /proc of their one node, packed or not', async () => {
    const path = folderOf({ ...cluster, ...node('cilium-bugtool-cilium-7x9') });
    execFileSync('tar', ['-C', dirname(path), '-czf', `${path}.tar.gz`, 'dump']);
    for (const given of [path, `${path}/cilium-bugtool-cilium-7x9`, `${path}.tar.gz`]) {
      const opened = await openEvidence(given);
      assert.ok(opened.ok, opened.ok ? '' : opened.reason);
      const findings = evaluateRules(opened.value.window(collectors), rules);
      const table = findings.find(({ code }) => code === 'PKT0202');
      assert.deepEqual([table?.outcome, table?.certainty, table?.args['entries']], ['warning', 'possible', 262_100]);
      assert.ok(findings.every(({ outcome }) => outcome !== 'not-applicable'));
    }
  });

  it('of several nodes are asked for one', async () => {
    const opened = await openEvidence(
      folderOf({ ...cluster, ...node('cilium-bugtool-a'), ...node('cilium-bugtool-b') }),
    );
    assert.match(
      opened.ok ? '' : opened.reason,
      /^a dump of 2 nodes: give the folder of one \(cilium-bugtool-a, cilium-bugtool-b\)$/,
    );
  });

  it('without anything of a node say so', async () => {
    const gathered = {
      'must-gather.local.1/quay-io-x/cluster-scoped-resources/core/nodes.yaml': 'x\n',
      'must-gather.local.1/quay-io-x/namespaces/default/pods.yaml': 'x\n',
    };
    for (const files of [gathered, cluster, { 'cluster-scoped-resources/core/nodes.yaml': 'x\n' }]) {
      const opened = await openEvidence(folderOf(files));
      assert.match(opened.ok ? '' : opened.reason, /without \/proc, \/sys or sysctl of any node/);
    }
  });
});
