// Releases what stands here: looks whether version, changelog and tree agree, packs and tags. Without --publish it only says
// what it would do.
//   npm run release [-- --publish] [--output FOLDER]
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';

const { values: flags } = parseArgs({
  options: { publish: { type: 'boolean', default: false }, output: { type: 'string', default: '.' } },
});

/** @param {string} text */
const say = (text) => process.stdout.write(`${text}\n`);

/**
 * @param {string} command
 * @param {...string} args
 */
const run = (command, ...args) => execFileSync(command, args, { encoding: 'utf8' }).trim();

/**
 * @param {string} file
 * @returns {{ name: string, version: string }}
 */
const packageIn = (file) => JSON.parse(readFileSync(file, 'utf8'));

/**
 * What stands below a heading of the changelog, without the heading; undefined where there is none.
 * @param {string} changelog
 * @param {string} heading
 */
function section(changelog, heading) {
  const sections = changelog.split(/^## /m).slice(1);
  const found = sections.find((each) => each.split(/\s/, 1)[0] === heading);
  return found === undefined
    ? undefined
    : { title: found.split('\n', 1)[0] ?? '', text: found.replace(/^.*\n/, '').trim() };
}

const { name, version } = packageIn('package.json');
const tag = `v${version}`;
const changelog = readFileSync('CHANGELOG.md', 'utf8');
const notes = section(changelog, version);
const unreleased = section(changelog, 'Unreleased');

/** @type {string[]} */
const wrong = [];
if (!/^\d+\.\d+\.\d+(-[0-9a-z.]+)?$/.test(version)) wrong.push(`package.json: ${version} is no version`);
if (packageIn('package-lock.json').version !== version)
  wrong.push('package-lock.json has another version: npm install');
if (notes === undefined) wrong.push(`CHANGELOG.md: no section "## ${version} - YYYY-MM-DD"`);
else {
  if (!/^\S+ - \d{4}-\d\d-\d\d$/.test(notes.title)) wrong.push(`CHANGELOG.md: "## ${notes.title}" has no date`);
  if (notes.text === '') wrong.push(`CHANGELOG.md: nothing is said of ${version}`);
}
if (unreleased !== undefined && unreleased.text !== '')
  wrong.push(`CHANGELOG.md: there is still something under "Unreleased": move it below "## ${version} - YYYY-MM-DD"`);
if (run('git', 'status', '--porcelain') !== '')
  wrong.push('the tree is not clean: commit first, so that the tag is what is packed');
if (run('git', 'tag', '--list', tag) !== '') wrong.push(`${tag} is tagged already: raise the version in package.json`);

for (const each of wrong) say(`release: ${each}`);
if (wrong.length > 0) process.exit(1);

if (!flags.publish) {
  run('npm', 'pack', '--dry-run', '--json');
  say(`release: ${name} ${version} is ready. With --publish it is packed, tagged ${tag}, and published to npm.`);
  process.exit(0);
}

/** @type {{ filename: string }[]} */
const [packed] = JSON.parse(run('npm', 'pack', '--json', '--pack-destination', flags.output));
const file = resolve(flags.output, packed?.filename ?? '');
run('git', 'tag', '--annotate', tag, '--message', `${name} ${version}\n\n${notes?.text ?? ''}`, '--cleanup=verbatim');
say(`release: packed ${file}, tagged ${tag}`);
run('npm', 'publish', file);
say(`release: published. Now: git push origin ${tag}`);
