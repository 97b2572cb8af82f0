import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { describe, it } from 'node:test';

import { openCopy, openPair } from '../../src/bundle/copies.ts';
import { collectors } from '../../src/collectors/index.ts';
import type { Window } from '../../src/metrics/window.ts';
import { evaluateRules } from '../../src/rules/engine.ts';
import { rules } from '../../src/rules/index.ts';
import { below, memoryTree, type Kept } from '../../src/sources/copy/tree.ts';
import { repository } from '../support/fixture.ts';
import { treeOf, type Copy } from '../support/copies.ts';
import { left, pieceName, piecesOf, type Piece } from '../support/law-mutations.ts';
import { Judge } from '../support/law-judge.ts';
import { full, inPart, seedOf } from '../support/law-extent.ts';
import { breach, fires, seeded } from '../support/law.ts';
import { sickFiles } from '../support/sick-host.ts';
import { sickReport } from '../support/sick-report.ts';

/** Copies made up after public reports, and what sos made here. */
const folders = ['copies', 'sosreports'].map((name) => `${repository}/test/fixtures/${name}`);

function filesOf(folder: string, name: string): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  for (const entry of readdirSync(`${folder}/${name}`, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = `${entry.parentPath}/${entry.name}`;
    files.set(path.slice(path.indexOf(`/${name}/`) + name.length + 2), new Uint8Array(readFileSync(path)));
  }
  return files;
}

/** Undefined where the copies no longer say how far they are apart. */
function windowOf(files: ReadonlyMap<string, Kept>): Window | undefined {
  const tree = memoryTree(files);
  const pair = tree.list('/before').ok && tree.list('/after').ok;
  const copy = pair ? openPair('law', [below(tree, 'before'), below(tree, 'after')]) : openCopy('law', tree);
  return copy.ok ? copy.value.window(collectors) : undefined;
}

/** A file at both ends is one piece of evidence. */
const ways: Readonly<Record<string, (bytes: Uint8Array) => Uint8Array | undefined>> = {
  removed: () => undefined,
  emptied: () => new Uint8Array(),
  // A link is there or not.
  cut: (bytes) => (bytes[0] === 0x2e ? undefined : bytes.subarray(0, Math.floor(bytes.length / 2))),
};
const PAIRS = full ? 400 : 25;

describe('with less to go by', () => {
  for (const [folder, name] of folders.flatMap((each) =>
    readdirSync(each)
      .sort()
      .map((name) => [each, name] as const),
  )) {
    const files = filesOf(folder, name);
    const whole = files.size === 0 ? undefined : windowOf(files);
    if (whole === undefined || !evaluateRules(whole, rules).some(fires)) continue;
    it(`what was found on ${name} only weakens`, () => {
      const paths = [...new Set([...files.keys()].map((path) => path.replace(/^(?:before|after)\//, '')))];
      const random = seeded(seedOf(paths.length * 31));
      const judge = new Judge(whole);
      const sets = paths.map((path) => [path]);
      for (let pair = 0; pair < PAIRS; pair += 1)
        sets.push([paths[random(paths.length)]!, paths[random(paths.length)]!]);
      const breaches = inPart(sets).flatMap((gone) =>
        Object.entries(ways).flatMap(([way, change]) => {
          const left = new Map<string, Kept>();
          for (const [path, bytes] of files) {
            const kept = gone.includes(path.replace(/^(?:before|after)\//, '')) ? change(bytes) : bytes;
            if (kept !== undefined) left.set(path, kept);
          }
          const window = windowOf(left);
          if (window === undefined) return [];
          return breach(judge.findings, judge.of(window), `${gone.join(' and ')} (${way})`) ?? [];
        }),
      );
      assert.deepEqual(breaches, []);
    });
  }
});

/** In full every mutation of every table. */
const MOST = full ? { rows: 60, singles: Infinity, pairs: 1500 } : { rows: 8, singles: 80, pairs: 30 };

const sick: Readonly<Record<string, readonly Copy[]>> = {
  'two copies of /proc and /sys': [sickFiles(0), sickFiles(1)],
  'a copy of /proc and /sys': [sickFiles(1)],
  'two sosreports': [sickReport(0), sickReport(1)],
  'a sosreport': [sickReport(1)],
};

describe('with less to go by on a host with much wrong at once', () => {
  const windowOfEnds = (ends: readonly Copy[]): Window | undefined => {
    const [before, after] = ends.map(treeOf);
    const copy =
      before === undefined || after === undefined
        ? openCopy('law', before ?? treeOf({}))
        : openPair('law', [before, after]);
    return copy.ok ? copy.value.window(collectors) : undefined;
  };
  for (const [form, ends] of Object.entries(sick)) {
    it(`what was found in ${form} only weakens`, () => {
      const whole = windowOfEnds(ends);
      assert.ok(whole !== undefined);
      const judge = new Judge(whole);
      assert.ok(judge.findings.filter(fires).length >= 20, 'much is found');
      const pieces = piecesOf(new Map(Object.entries(ends.at(-1) ?? {})), MOST);
      const breaches = inPart(pieces).flatMap((piece) => {
        const window = windowOfEnds(ends.map((end) => without(end, piece)));
        return window === undefined ? [] : (breach(judge.findings, judge.of(window), pieceName(piece)) ?? []);
      });
      assert.deepEqual(breaches, []);
    });
  }
});

function without(copy: Copy, piece: Piece): Copy {
  return Object.fromEntries(
    Object.entries(copy).flatMap(([path, content]) => {
      const rest = left(path, content, piece);
      return rest === undefined ? [] : [[path, rest]];
    }),
  );
}
