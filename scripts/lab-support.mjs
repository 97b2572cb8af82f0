// docs/SUPPORT.md: what was tried on which kernel, from the results that the lab keeps.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { CACHE } from './lab-image.mjs';

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

const words = { pass: 'yes', fail: '**no**', skip: 'n/a' };
const cell = (text) => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

/** Kernel lines side by side: cloud and full flavours of a line differ in drivers only. */
function table(scenes, runs) {
  const lines = [...new Set(scenes.map(({ kernel }) => kernel.replace('-full', '')))];
  const ids = [...new Set(scenes.flatMap(({ checks }) => checks))];
  const rows = [];
  const notes = [];
  for (const id of ids) {
    let what = id;
    const cells = lines.map((line) => {
      const scene = scenes.find(({ kernel, checks }) => kernel.replace('-full', '') === line && checks.includes(id));
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
  return { text: `${head}\n${rows.join('\n')}`, notes };
}

export async function writeSupport(scenes) {
  const { format, resolveConfig } = await import('prettier');
  const runs = new Map();
  for (const { name } of scenes)
    if (existsSync(file(name))) runs.set(name, JSON.parse(readFileSync(file(name), 'utf8')));
  const kernels = [...new Set([...runs.values()].map((run) => `${run.release} (Debian's ${run.version})`))].sort();
  const groups = [
    ['Kernels', /^kernel-/],
    ['NUMA', /^numa/],
    ['Isolated CPUs', /^isolation/],
    ['Network cards', /^nics/],
    ['A kernel locked down', /^lockdown/],
  ].map(([title, pattern]) => [
    title,
    table(
      scenes.filter(({ name }) => pattern.test(name)),
      runs,
    ),
  ]);
  const page = `# Where pktcost was tried

Written by \`npm run lab -- --write\` from what ran; not edited by hand. The machines are emulated (QEMU without KVM), so
what is shown here is behaviour and never speed. What each run said stands below the tables.

Kernels: ${kernels.join(', ')}. On the development machine (6.18) the scenarios and the probe's tests run with every
\`npm test\`.

${groups.map(([title, { text }]) => `## ${title}\n\n${text}`).join('\n\n')}

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

${groups
  .flatMap(([, { notes }]) => notes)
  .map(
    ({ what, line, said }) =>
      `- ${what} (${line})\n${said.map((each) => `  - \`${each.replaceAll('`', "'").replaceAll('\n', ' ').slice(0, 400)}\``).join('\n')}`,
  )
  .join('\n')}
`;
  const path = 'docs/SUPPORT.md';
  writeFileSync(path, await format(page, { ...(await resolveConfig(path)), parser: 'markdown' }));
}
