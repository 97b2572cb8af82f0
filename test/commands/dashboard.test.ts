/** What stands in contrib/ for Grafana and for containers, neither of which is here to try it on. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

import * as catalogue from '../../src/metrics/catalogue/index.ts';
import { exposedAs } from '../../src/metrics/metric.ts';
import { repository } from '../support/fixture.ts';
import { lacking } from '../support/needs.ts';

const folder = mkdtempSync(join(tmpdir(), 'pktcost-dashboard-'));
after(() => {
  rmSync(folder, { recursive: true, force: true });
});

interface Panel {
  readonly title: string;
  readonly type: string;
  readonly description?: string;
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
}

const contrib = (path: string): string => readFileSync(join(repository, 'contrib', path), 'utf8');
const { panels } = JSON.parse(contrib('grafana/pktcost.json')) as { readonly panels: readonly Panel[] };
const targets = panels.flatMap(({ title, targets: asked = [] }) => asked.map((target) => ({ title, ...target })));
/** As Grafana would fill it in. */
const filled = (expr: string): string => expr.replaceAll('$__rate_interval', '5m').replaceAll('$instance', '.*');

const metrics = Object.values(catalogue).flatMap((each) =>
  typeof each === 'object' && 'name' in each ? [{ name: exposedAs(each).name, labels: each.labels }] : [],
);
const families = Object.values(catalogue).flatMap((each) =>
  typeof each === 'object' && 'prefix' in each ? [each.prefix] : [],
);
const labelsOf = (name: string): readonly string[] | undefined =>
  metrics.find((metric) => metric.name === name)?.labels ??
  (families.some((prefix) => name.startsWith(prefix)) ? [] : undefined);

describe('the dashboard', () => {
  it('asks for metrics of the catalogue only, and for labels that they have', () => {
    assert.ok(targets.length > 15);
    for (const { title, expr, legendFormat } of targets) {
      const names = expr.match(/\b(?:node|pktcost)_\w+/g) ?? [];
      assert.ok(names.length > 0, `${title}: ${expr}`);
      const known = new Set(['instance', 'job', 'netns']);
      for (const name of names) {
        const labels = labelsOf(name);
        assert.ok(labels !== undefined, `${title}: ${name} is in no catalogue`);
        for (const label of labels) known.add(label);
      }
      const grouped = [...expr.matchAll(/by \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(/, */));
      const selected = [...expr.matchAll(/(\w+)=~?"/g)].map(([, label = '']) => label);
      const told = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label);
      for (const label of [...grouped, ...selected, ...told]) assert.ok(known.has(label), `${title}: ${label}`);
      if (grouped.length > 0)
        for (const label of told) assert.ok(grouped.includes(label), `${title}: ${label} is summed away`);
    }
  });

  it('says what each panel is for, and lays none over another', () => {
    const taken = new Set<string>();
    for (const { title, type, description, gridPos } of panels) {
      if (type !== 'row') assert.ok((description ?? '').length > 20, title);
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1) {
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          assert.ok(x < 24 && !taken.has(`${x},${y}`), title);
          taken.add(`${x},${y}`);
        }
      }
    }
  });

  it('is PromQL that promtool parses', { skip: lacking({ tools: ['promtool'] }) }, () => {
    const file = join(folder, 'rules.yml');
    // JSON is YAML.
    const rules = targets.map(({ expr }, index) => ({ record: `panel:${index}`, expr: filled(expr) }));
    writeFileSync(file, JSON.stringify({ groups: [{ name: 'panels', rules }] }));
    const { status, stdout, stderr } = spawnSync('promtool', ['check', 'rules', file], { encoding: 'utf8' });
    assert.equal(status, 0, `${stdout}${stderr}`);
    assert.match(stdout, new RegExp(`SUCCESS: ${targets.length} rules found`));
  });
});

describe('the container recipe', () => {
  const recipe = contrib('Containerfile');

  it('copies what npm run package makes, and starts what that installs', () => {
    const copied = [...recipe.matchAll(/^COPY (\S+) (\S+)$/gm)].map(([, from, to]) => [from, to]);
    assert.deepEqual(copied, [['pktcost_*.deb', '/tmp/pktcost.deb']]);
    // As scripts/deb.mjs names it; test/commands/packages.test.ts makes one.
    assert.match(
      readFileSync(join(repository, 'scripts/deb.mjs'), 'utf8'),
      /`pktcost_\$\{packageVersion\(version\)\}_/,
    );
    assert.ok(
      recipe.match(/^RUN [^]*?(?=^ENTRYPOINT)/m)?.[0].includes('install -y --no-install-recommends /tmp/pktcost.deb'),
    );
    assert.match(recipe, /^ENTRYPOINT \["pktcost"\]$/m);
    assert.deepEqual(recipe.match(/^(?!#| )[A-Z]+/gm), ['FROM', 'COPY', 'RUN', 'ENTRYPOINT']);
  });

  it('asks for the capabilities that the manifests ask for', () => {
    const asked = /--cap-add (\S+)/.exec(recipe)?.[1]?.split(',') ?? [];
    for (const manifest of ['kubernetes/pktcost.yaml', 'kubernetes/pktcost-watch.yaml']) {
      const added = /^ +add:\n((?: +(?:#.*|- [A-Z_]+)\n)+)/m.exec(contrib(manifest))?.[1] ?? '';
      const listed = [...added.matchAll(/- ([A-Z_]+)/g)].map(([, name]) => name);
      assert.deepEqual(listed, asked, manifest);
    }
  });
});
