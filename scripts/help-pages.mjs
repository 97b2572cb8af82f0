// dist/help.json: the help of each command, as the bundle prints it where it goes to no terminal. bin/pktcost.js says it without
// the bundle, which takes as long to load as Node does.
import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import vm from 'node:vm';

const root = fileURLToPath(new URL('..', import.meta.url));
const bin = join(root, 'bin/pktcost.js');

/** @returns {Promise<readonly string[]>} as oclif has them, with a colon between the words; the empty one is pktcost itself */
async function commandsOf() {
  const filename = join(root, 'dist/index.cjs');
  const bundle = { exports: /** @type {{ COMMANDS?: object }} */ ({}) };
  const script = new vm.Script(await readFile(filename, 'latin1'), { filename });
  script.runInThisContext()(bundle.exports, createRequire(filename), bundle, filename, join(root, 'dist'));
  return ['', ...Object.keys(bundle.exports.COMMANDS ?? {})];
}

/** @param {string} command */
async function pageOf(command) {
  const words = command === '' ? [] : command.split(':');
  const env = { ...process.env, FORCE_COLOR: undefined, OCLIF_COLUMNS: undefined };
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [bin, ...words, '--help'], { env });
  if (stderr !== '') throw new Error(`pktcost ${words.join(' ')} --help: ${stderr}`);
  // Whose version it is that is said is known when it is said.
  const { stdout: version } = await promisify(execFile)(process.execPath, [bin, '--version']);
  const page = stdout.replaceAll(version.trim(), '{version}');
  if (page.includes('{version}') !== (command === '')) throw new Error(`the version in: ${page}`);
  return page;
}

export async function writeHelpPages() {
  const pages = await Promise.all((await commandsOf()).map(async (command) => [command, await pageOf(command)]));
  await writeFile(join(root, 'dist/help.json'), `${JSON.stringify(Object.fromEntries(pages), undefined, 1)}\n`);
}
