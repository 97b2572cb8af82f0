// Shows that the tables of cases guard the rules: moves one threshold, or turns one comparison of conclude() round, in a
// copy of the compiled output, runs the cases of its rule, and expects them to fail. Thresholds are moved both ways. What
// no case notices is printed; a threshold, or a rule with nothing noticed, makes it fail. The cases must pass unmutated.
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

const inverse = { '===': '!==', '!==': '===', '<': '>=', '>=': '<', '>': '<=', '<=': '>' };

const fileOf = (id) => `build/src/rules/${id}.js`;

const mutants = rules
  .filter(({ code }) => flags.code === undefined || code === flags.code)
  .flatMap(({ code, id, thresholds }) => [
    { code, id, kind: 'control', told: 'nothing', file: fileOf(id), mutate: (source) => source },
    ...Object.entries(thresholds).flatMap(([name, { value }]) =>
      [value * factor, value / factor].map((mutated) => ({
        ...{ code, id, kind: 'threshold', told: `${name} ${value} -> ${mutated}`, file: fileOf(id) },
        mutate: (source) => moveThreshold(source, code, name, mutated),
      })),
    ),
    ...comparisons(id).map(({ at, operator, told }) => ({
      ...{ code, id, kind: 'comparison', told, file: fileOf(id) },
      mutate: (source) => source.slice(0, at) + inverse[operator] + source.slice(at + operator.length),
    })),
  ]);

const queue = [...mutants];
await Promise.all(Array.from({ length: copies }, (_, copy) => work(join(folder, `${copy}`))));

/** One copy of the compiled output, one mutant in it at a time. */
async function work(copy) {
  cpSync('build/src', join(copy, 'build/src'), { recursive: true });
  cpSync('build/test', join(copy, 'build/test'), { recursive: true });
  symlinkSync(resolve('node_modules'), join(copy, 'node_modules'));
  writeFileSync(join(copy, 'package.json'), readFileSync('package.json'));
  for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
    const file = join(copy, mutant.file);
    const whole = readFileSync(file, 'utf8');
    writeFileSync(file, mutant.mutate(whole));
    mutant.noticed = (await run(copy, `build/test/rules/${mutant.id}.test.js`)) !== 0;
    writeFileSync(file, whole);
  }
}

/** Only the value of one threshold differs. */
function moveThreshold(source, code, name, mutated) {
  const start = source.search(/\bthresholds(?:: | = )\{\n/);
  const changed = source.slice(start).replace(new RegExp(`(\\n\\s+${name}: \\{\\s*value: )[^,\\n]+`), `$1${mutated}`);
  if (start < 0 || changed === source.slice(start)) throw new Error(`${code}.${name} is not where it was expected`);
  return source.slice(0, start) + changed;
}

/** Each comparison in conclude(), of the rule as compiled. */
function comparisons(id) {
  const source = readFileSync(fileOf(id), 'utf8');
  const start = source.indexOf('\n    conclude(');
  if (start < 0) throw new Error(`${id} has no conclude() where it was expected`);
  const body = source.slice(start, source.indexOf('\n    },\n', start));
  return [...body.matchAll(/ (===|!==|<=|>=|<|>) /g)].map(({ index, 1: operator }) => {
    const at = start + index + 1;
    const line = source.slice(source.lastIndexOf('\n', at) + 1, source.indexOf('\n', at)).trim();
    return { at, operator, told: `${operator} -> ${inverse[operator]} in "${line}"` };
  });
}

function run(cwd, test) {
  return new Promise((done) => {
    const child = spawn(process.execPath, ['--test', test], { cwd, stdio: 'ignore' });
    child.once('close', (status) => done(status));
  });
}

let wrong = 0;
for (const code of new Set(mutants.map((mutant) => mutant.code))) {
  const [control, ...all] = mutants.filter((mutant) => mutant.code === code);
  const passedOver = all.filter(({ noticed }) => !noticed);
  const ok = !control.noticed && passedOver.length < all.length && passedOver.every(({ kind }) => kind !== 'threshold');
  wrong += ok ? 0 : 1;
  const failing = control.noticed ? '; its cases fail unmutated' : '';
  console.log(
    `${ok ? 'ok  ' : 'FAIL'} ${code} ${control.id.padEnd(26)} ${all.length - passedOver.length}/${all.length} noticed${failing}`,
  );
  for (const { told } of passedOver) console.log(`       not: ${told}`);
}
const real = mutants.filter(({ kind }) => kind !== 'control');
console.log(`${real.filter(({ noticed }) => noticed).length} of ${real.length} mutants were noticed.`);
process.exit(wrong === 0 ? 0 : 1);
