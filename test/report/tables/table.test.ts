import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { drawTable as drawHtml } from '../../../src/report/html/table.ts';
import { drawTable as drawMarkdown } from '../../../src/report/markdown/table.ts';
import { bookTable } from '../../../src/report/tables/ledger.ts';
import { columnsIn, type Table } from '../../../src/report/tables/table.ts';
import { drawTable as drawText } from '../../../src/report/text/table.ts';

interface Shelf {
  readonly name: string;
  readonly ns: number | null;
  readonly kind: string | null;
}

const shelves: Table<Shelf> = [
  { label: 'Shelf', unit: 'name', cell: ({ name }) => name },
  { label: 'Time', unit: 'ns', cell: ({ ns }) => ns },
];
const rows: readonly Shelf[] = [
  { name: 'up|per', ns: 1500, kind: null },
  { name: 'lower', ns: null, kind: null },
];
const style = { colour: false, width: 80, unicode: true };

const drawers = {
  text: (table: Table<Shelf>) => drawText(style, table, rows).join('\n'),
  markdown: (table: Table<Shelf>) => drawMarkdown(table, rows).join('\n'),
  html: (table: Table<Shelf>) => drawHtml(table, rows, { caption: 'Shelves', className: 'stack' }).text,
} as const;

describe('a table', () => {
  for (const [format, draw] of Object.entries(drawers)) {
    it(`shows a column in ${format} that was added in one place`, () => {
      const before = draw(shelves);
      const after = draw([...shelves, { label: 'Half of it', unit: 'ns', cell: ({ ns }) => (ns ?? 0) / 2 }]);

      assert.doesNotMatch(before, /Half of it|750 ns/);
      assert.match(after, /Half of it/);
      assert.match(after, /750 ns/);
    });

    it(`says the same of a figure, and of one that is not there, in ${format}`, () => {
      const drawn = draw(shelves);

      assert.match(drawn, /1\.5 µs/);
      assert.match(drawn, /(?:^|[\s>|])-(?:[\s<|]|$)/m);
    });
  }

  it('draws a thousand rows of text and counts the others', () => {
    const long = Array.from({ length: 1234 }, (_, index) => ({ name: `shelf${index}`, ns: index, kind: null }));
    const drawn = drawText(style, shelves, long);
    assert.equal(drawn.at(-1)?.trim(), 'and 234 more, not shown here');
    assert.ok(drawn.some((line) => line.includes('shelf999')) && !drawn.some((line) => line.includes('shelf1000')));
  });

  it('keeps a detail to HTML', () => {
    const table: Table<Shelf> = [...shelves, { label: 'Kind', unit: 'words', cell: () => 'oak', detail: true }];

    assert.doesNotMatch(drawers.text(table), /Kind|oak/);
    assert.doesNotMatch(drawers.markdown(table), /Kind|oak/);
    assert.match(drawers.html(table), /data-label="Kind">oak/);
  });

  it('leaves a column out where no row has anything to say in it, if it is such a one', () => {
    const table: Table<Shelf> = [
      ...shelves,
      { label: 'Kind', unit: 'words', cell: ({ kind }) => kind, unlessEmpty: ['text'] },
    ];
    const labels = (format: 'text' | 'markdown', of: readonly Shelf[]): string[] =>
      columnsIn(table, format, of).map(({ label }) => label);

    assert.deepEqual(labels('text', rows), ['Shelf', 'Time']);
    assert.deepEqual(labels('markdown', rows), ['Shelf', 'Time', 'Kind']);
    assert.deepEqual(labels('text', [...rows, { name: 'x', ns: 1, kind: 'oak' }]), ['Shelf', 'Time', 'Kind']);
  });

  it('says how sure a figure is, and draws and adds to it where there is room', () => {
    const table: Table<Shelf> = [
      ...shelves.slice(0, 1),
      {
        label: 'Price',
        unit: 'ns',
        cell: () => ({ figure: 900, note: 'estimated', bar: 0.5, also: ['700 ns on eth1'] }),
      },
    ];

    assert.match(drawers.text(table), /900 ns estimated$/m);
    assert.match(drawers.markdown(table), /\| 900 ns estimated \|/);
    assert.match(drawers.html(table), /900 ns estimated<svg .*width="50%".*<small>700 ns on eth1<\/small>/);
    assert.doesNotMatch(drawers.text(table), /eth1/);
  });

  it('has no name of the host act in any format', () => {
    const table: Table<Shelf> = [{ label: 'Shelf', unit: 'name', cell: () => '<b>`|\u001b[2J' }];

    assert.match(drawers.text(table), /<b>`\|\\x1b\[2J/);
    assert.match(drawers.markdown(table), /``<b>`\\\|\\x1b\[2J``/);
    assert.match(drawers.html(table), /<code>&lt;b&gt;`\|\\x1b\[2J<\/code>/);
  });

  it('is no line at all without rows in text and Markdown', () => {
    assert.deepEqual(drawText(style, shelves, []), []);
    assert.deepEqual(drawMarkdown(shelves, []), []);
  });
});

describe('the books of namespaces at 80 columns', () => {
  const book = {
    ...{ netns: '', devices: ['eth0'], framesIn: 18_011, delivered: 17_973, forwarded: 0, lost: 0, policy: 0 },
    ...{ noise: 0, unclear: 0, notAccounted: 38, droppedAfter: 0 },
  };

  it('breaks no word of its head', () => {
    const drawn = drawText(style, bookTable, [book]);
    const words = new Set(drawn.flatMap((line) => line.trim().split(/ +/)));
    for (const word of bookTable.flatMap(({ label }) => label.split(' '))) assert.ok(words.has(word), drawn.join('\n'));
    for (const line of drawn) assert.ok(line.length <= 80, line);
  });

  it('writes each figure in one line, however large', () => {
    const large = Object.fromEntries(
      Object.entries(book).map(([key, value]) => [key, typeof value === 'number' ? value + 1_234_567_000 : value]),
    );
    const drawn = drawText(style, bookTable, [{ ...book, ...large }]).join('\n');
    assert.match(drawn, /1,234,585,011/);
    assert.match(drawn, /1,234,567,038/);
  });
});

describe('a table that is narrower than its figures', () => {
  interface Span {
    readonly device: string;
    readonly hook: string;
    readonly ns: readonly number[];
  }
  const columnsOf = (count: number): Table<Span> => [
    { label: 'Device', unit: 'name', cell: ({ device }) => device },
    { label: 'Hook', unit: 'words', cell: ({ hook }) => hook, whole: true },
    ...Array.from({ length: count }, (_, index) => ({
      label: `p${index}`,
      unit: 'ns' as const,
      cell: ({ ns }: Span) => ns[index] ?? null,
    })),
    { label: 'Lost', unit: 'words', align: 'right', cell: () => '1,234,567 datagrams' },
    { label: 'Limit', unit: 'words', align: 'right', cell: () => '> 300 ns' },
    { label: 'Price', unit: 'words', cell: ({ ns }) => `some ${ns[0]!} ns for each of 500 packets` },
  ];
  const spanRows = ['veth-b in faceb', 'eth0'].map((device) => ({
    device,
    hook: 'tracepoint',
    ns: [112, 20_480, 3_456_789, 998, 12_300, 999_000],
  }));

  for (const width of [60, 80, 120, 200])
    for (const count of [0, 2, 4, 6])
      it(`parts no figure and its unit and no word that is whole in ${width} columns, with ${count + 3} figures`, () => {
        const drawn = drawText({ ...style, width }, columnsOf(count), spanRows);
        for (const line of drawn) assert.ok(line.length <= width, line);
        for (const row of spanRows) {
          const said = ['tracepoint', '1,234,567 datagrams', '> 300 ns', `${row.ns[0]!} ns`, '20.5 µs', '3.46 ms'];
          for (const each of said.slice(0, 3 + Math.min(count, 1) + Math.max(0, count - 3)))
            assert.ok(
              drawn.filter((line) => line.includes(each)).length >= spanRows.length,
              `${each} in\n${drawn.join('\n')}`,
            );
        }
      });

  it('is a list of labels and cells where nothing narrower is a table', () => {
    assert.deepEqual(drawText({ ...style, width: 60 }, columnsOf(4), spanRows.slice(1)), [
      '  Device eth0  Hook tracepoint  p0 112 ns  p1 20.5 µs',
      '    p2 3.46 ms  p3 998 ns  Lost 1,234,567 datagrams',
      '    Limit > 300 ns',
      '    Price some 112 ns for each of 500 packets',
    ]);
  });

  it('is a list where it would be a tower of single words', () => {
    const table: Table<{ readonly why: string }> = [
      ...columnsOf(0)
        .slice(0, 2)
        .map((column) => ({ ...column, cell: () => 'x'.repeat(28) })),
      { label: 'Why', unit: 'words', cell: ({ why }) => why },
    ];
    const drawn = drawText(style, table, [{ why: 'read only, and gone with the process '.repeat(6).trim() }]);
    assert.ok(drawn.length < 8, drawn.join('\n'));
  });
});
