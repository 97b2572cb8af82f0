// Shows that the tables of cases guard the limits: moves one threshold at a time in a copy of the compiled output, runs
// the cases of its rule, and expects them to fail. Both ways for every threshold; one that no case notices is printed.
//   node scripts/mutate-thresholds.mjs [--code PKT0201] [--by 10]
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const { values: flags } = parseArgs({
  options: { code: { type: 'string' }, by: { type: 'string', default: '10' } },
});
const factor = Number(flags.by);
if (!(factor > 1)) {
  console.error(`--by ${flags.by}: not a number above 1`);
  process.exit(2);
}

const { rules } = await import(resolve('build/src/rules/index.js'));
const copies = Math.max(1, Math.min(4, availableParallelism()));
const folder = mkdtempSync(join(tmpdir(), 'pktcost-mutants-'));
process.on('SIGINT', () => process.exit(130));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

const mutants = rules
  .filter(({ code }) => flags.code === undefined || code === flags.code)
  .flatMap(({ code, id, thresholds }) =>
    Object.entries(thresholds).flatMap(([name, { value }]) =>
      [value * factor, value / factor].map((mutated) => ({ code, id, name, value, mutated })),
    ),
  );

const queue = [...mutants];
await Promise.all(Array.from({ length: copies }, (_, copy) => work(join(folder, `${copy}`))));

/** One copy of the compiled output, one mutant in it at a time. */
async function work(copy) {
  cpSync('build/src', join(copy, 'build/src'), { recursive: true });
  cpSync('build/test', join(copy, 'build/test'), { recursive: true });
  symlinkSync(resolve('node_modules'), join(copy, 'node_modules'));
  writeFileSync(join(copy, 'package.json'), readFileSync('package.json'));
  const file = join(copy, 'build/src/rules/thresholds.js');
  const whole = readFileSync(file, 'utf8');
  for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
    writeFileSync(file, mutate(whole, mutant));
    mutant.status = await run(copy, `build/test/rules/${mutant.id}.test.js`);
  }
}

/** Only the value of one threshold differs. */
function mutate(source, { code, name, mutated }) {
  const at = source.indexOf(`    ${code}: {`);
  const rule = source.slice(at, source.indexOf('\n    }', at));
  const changed = rule.replace(new RegExp(`(\\n        ${name}: \\{\\s*value: )[^,\\n]+`), `$1${mutated}`);
  if (at < 0 || changed === rule) throw new Error(`${code}.${name} is not where it was expected in thresholds.js`);
  return source.slice(0, at) + changed + source.slice(at + rule.length);
}

function run(cwd, test) {
  return new Promise((done) => {
    const child = spawn(process.execPath, ['--test', test], { cwd, stdio: 'ignore' });
    child.once('close', (status) => done(status));
  });
}

const byRule = new Map();
for (const mutant of mutants) byRule.set(mutant.code, [...(byRule.get(mutant.code) ?? []), mutant]);
let unguarded = 0;
for (const [code, all] of byRule) {
  const killed = all.filter(({ status }) => status !== 0).length;
  const survivors = all
    .filter(({ status }) => status === 0)
    .map(({ name, value, mutated }) => `${name} ${value} -> ${mutated}`);
  unguarded += killed === 0 ? 1 : 0;
  console.log(
    `${code} ${all[0].id.padEnd(26)} ${killed}/${all.length} noticed${survivors.length > 0 ? `; not: ${survivors.join(', ')}` : ''}`,
  );
}
console.log(`${mutants.filter(({ status }) => status !== 0).length} of ${mutants.length} mutants were noticed.`);
const bare = rules.filter(({ thresholds }) => Object.keys(thresholds).length === 0).map(({ code }) => code);
if (bare.length > 0) console.log(`Without a threshold: ${bare.join(', ')}`);
process.exit(unguarded === 0 ? 0 : 1);
