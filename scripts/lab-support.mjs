// docs/SUPPORT.md: what was tried on which kernel, from the results that the lab keeps.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { CACHE } from './lab-debian.mjs';
import { NODE_CHECKS } from './lab-nodes.mjs';

const file = (scene) => join(CACHE, 'results', scene, 'result.json');

/** Newer results of single checks stand beside older ones of the same kernel. */
export function keepResults(scene, run) {
  let kept = [];
  if (existsSync(file(scene))) {
    const before = JSON.parse(readFileSync(file(scene), 'utf8'));
    if (before.release === run.release) kept = before.results;
  }
  const results = [...kept.filter(({ id }) => !run.results.some((each) => each.id === id)), ...run.results];
  writeFileSync(file(scene), `${JSON.stringify({ ...run, results }, undefined, 2)}\n`);
}

const ofNodes = join(CACHE, 'results', 'nodes.json');

export function keepNodes(tried) {
  mkdirSync(join(CACHE, 'results'), { recursive: true });
  writeFileSync(ofNodes, `${JSON.stringify(tried, undefined, 2)}\n`);
}

const words = { pass: 'yes', fail: '**no**', skip: 'n/a' };
const cell = (text) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

/** Kernel lines side by side: the cloud flavour and the full one differ in drivers only, the sizes of pages in more. */
function lineOf({ kernel }) {
  const [line, ...flavour] = kernel.split('-');
  return flavour.includes('16k') ? `${line}, pages of 16 KiB` : line;
}

function table(scenes, runs) {
  const lines = [...new Set(scenes.map(lineOf))];
  const ids = [...new Set(scenes.flatMap(({ checks }) => checks))];
  const rows = [];
  const notes = [];
  for (const id of ids) {
    let what = titleOf(id);
    const cells = lines.map((line) => {
      const scene = scenes.find((each) => lineOf(each) === line && each.checks.includes(id));
      if (scene === undefined) return '';
      const result = runs.get(scene.name)?.results.find((each) => each.id === id);
      if (result === undefined) return 'not run';
      what = result.what ?? what;
      const said = [...(result.reason === undefined ? [] : [result.reason]), ...(result.notes ?? [])].filter(Boolean);
      if (said.length > 0) notes.push({ what, line, said });
      return words[result.outcome];
    });
    rows.push(`| ${cell(what)} | ${cells.join(' | ')} |`);
  }
  const head = `| | ${lines.map((line) => `Linux ${line}`).join(' | ')} |\n| --- |${lines.map(() => ' --- |').join('')}`;
  const kernels = [
    ...new Set(
      scenes
        .flatMap(({ name }) => runs.get(name) ?? [])
        .map(({ release, version }) => `${release} (Debian's ${version})`),
    ),
  ];
  return {
    text: `${head}\n${rows.join('\n')}\n\nKernels: ${kernels.sort().join(', ')}.`,
    notes: notes.map(saidBy).join('\n'),
  };
}

/** What a check looks at, as the check itself says it: for those of which no result is kept. */
function titleOf(id) {
  for (const name of readdirSync('test/lab').filter((each) => each.endsWith('.ts'))) {
    const title = new RegExp(`id: '${id}',\\s*what:\\s*'([^']*)'`).exec(readFileSync(join('test/lab', name), 'utf8'));
    if (title !== null) return title[1];
  }
  return id;
}

function saidBy({ what, line, said }) {
  const quoted = said.map((each) => `  - \`${each.replaceAll('`', "'").replaceAll('\n', ' ').slice(0, 400)}\``);
  return `- ${what} (${line})\n${quoted.join('\n')}`;
}

/** @returns {Map<string, string>} the text below each heading of a level */
function sections(text, level) {
  const parts = text.split(new RegExp(`^${'#'.repeat(level)} `, 'm')).slice(1);
  return new Map(parts.map((part) => [part.slice(0, part.indexOf('\n')), part.slice(part.indexOf('\n')).trim()]));
}

/** A row for each Node; as it stood where none was tried on this machine. */
function nodesGroup(before) {
  if (!existsSync(ofNodes)) return before;
  const { release, arch, nodes } = JSON.parse(readFileSync(ofNodes, 'utf8'));
  const rows = nodes.map(
    ({ version, results }) =>
      `| Node ${version} | ${NODE_CHECKS.map((id) => words[results[id]?.outcome] ?? 'not run').join(' | ')} |`,
  );
  const head = `| | ${NODE_CHECKS.join(' | ')} |\n| --- |${NODE_CHECKS.map(() => ' --- |').join('')}`;
  const notes = nodes.map(({ version, results }) => {
    const said = Object.entries(results).map(([id, result]) => `${id}: ${result.said}`);
    return saidBy({ what: `Node ${version}`, line: arch, said });
  });
  return {
    text: `${head}\n${rows.join('\n')}\n\nThe packed command, as root on Linux ${release} (${arch}).`,
    notes: notes.join('\n'),
  };
}

/** A group of which some scene has no result on this machine stands as it stood. */
function groupOf(scenes, runs, before) {
  const complete = scenes.every(({ name }) => runs.has(name));
  return complete || before === undefined || before.text === undefined ? table(scenes, runs) : before;
}

export async function writeSupport(scenes) {
  const { format, resolveConfig } = await import('prettier');
  const path = 'docs/SUPPORT.md';
  const runs = new Map();
  for (const { name } of scenes)
    if (existsSync(file(name))) runs.set(name, JSON.parse(readFileSync(file(name), 'utf8')));
  /** @type {[title: string, pattern: RegExp][]} */
  const kinds = [
    ['Kernels', /^kernel-[\d.]+$/],
    ['Kernels on arm64', /^kernel-.*arm64/],
    ['NUMA', /^numa/],
    ['Isolated CPUs', /^isolation/],
    ['Network cards', /^nics/],
    ['Losses', /^losses/],
    ['A kernel locked down', /^lockdown/],
    ['Sosreports', /^sosreport/],
  ];
  const standing = sections(readFileSync(path, 'utf8'), 2);
  const saidBefore = sections(standing.get('What the runs said') ?? '', 3);
  const nodes = 'Versions of Node';
  const ofScenes = kinds.map(([title, pattern]) => ({
    title,
    ...groupOf(
      scenes.filter(({ name }) => pattern.test(name)),
      runs,
      { text: standing.get(title), notes: saidBefore.get(title) ?? '' },
    ),
  }));
  const groups = [
    { title: nodes, ...nodesGroup({ text: standing.get(nodes) ?? '', notes: saidBefore.get(nodes) ?? '' }) },
    ...ofScenes,
  ];
  const page = `# Where pktcost was tried

Written by \`npm run lab -- --write\` from what ran; not edited by hand. The machines are emulated (QEMU without KVM), so
what is shown here is behaviour and never speed. What each run said stands below the tables, the reason of each **no** first:
on arm64, which is emulated most slowly, some are of checks that ran out of time.

On the development machine (6.18) the scenarios and the probe's tests run with every \`npm test\`.

${groups.map(({ title, text }) => `## ${title}\n\n${text}`).join('\n\n')}

## What is measured where

| | before 6.6 | 6.6 to 6.14 | from 6.15 |
| --- | --- | --- | --- |
| Tap span | clsact filter: stays after SIGKILL until \`pktcost doctor --clean\`; blind behind a foreign filter of priority 1 that decides | TCX link: goes with the process, always first | as before |
| Price of each socket | fentry and fexit, where the kernel is built with function tracing | the same | the same |
| A tap without a device, in any namespace | walked by every packet of the host | the same | walked by its own namespace only |
| CPUs set apart by cpuset | from 6.7 by \`cpuset.cpus.isolated\` | yes | yes |

## Not tried

- igb, ixgbe, i40e, ice, mlx5 and other real cards: QEMU 7.2 emulates none of them. What the table of drivers says of them
  was read in their sources.
- Kernels of other distributions; before 6.1; with PREEMPT_RT.
- libbpf older than 1.1.2, the oldest in Debian 12's archive.

## What the runs said

${groups.map(({ title, notes }) => `### ${title}\n\n${notes}`).join('\n\n')}
`;
  writeFileSync(path, await format(page, { ...(await resolveConfig(path)), parser: 'markdown' }));
}
