const WIDTH = 100;

/** PromQL over several lines: a new one before each operator that joins vectors, deeper ones where a line is too long. */
export function promqlLines(promql: string, indent = ''): string[] {
  const parts = operandsOf(promql);
  if (promql.length <= WIDTH - indent.length && parts.length <= 2) return [`${indent}${promql}`];
  return parts.flatMap((part) => {
    if (part.length <= WIDTH - indent.length) return [`${indent}${part}`];
    const open = longestGroup(part);
    if (open === undefined) return [`${indent}${part}`];
    return [
      `${indent}${part.slice(0, open.from + 1)}`,
      ...promqlLines(part.slice(open.from + 1, open.to), `${indent}  `),
      `${indent}${part.slice(open.to)}`,
    ];
  });
}

const joining = /^ (?:(?:and|or|unless|[-+*/]) on \(|or label_replace\()/;

/** Split before each joining operator outside of all parentheses. */
function operandsOf(promql: string): string[] {
  const starts = [0];
  walk(promql, (letter, at, depth) => {
    if (letter === ' ' && depth === 0 && joining.test(promql.slice(at, at + 20))) starts.push(at);
  });
  return starts.map((start, index) => promql.slice(start, starts[index + 1]).trimStart());
}

/** The longest pair of outermost parentheses, which is the one that makes the line long. */
function longestGroup(part: string): { readonly from: number; readonly to: number } | undefined {
  const groups: { from: number; to: number }[] = [];
  walk(part, (letter, at, depth) => {
    if (letter === '(' && depth === 0) groups.push({ from: at, to: at });
    if (letter === ')' && depth === 1) groups[groups.length - 1]!.to = at;
  });
  return groups.sort((a, b) => b.to - b.from - (a.to - a.from))[0];
}

/** Each letter with the number of parentheses that are open before it; those within strings are not counted. */
function walk(text: string, visit: (letter: string, at: number, depth: number) => void): void {
  let depth = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const letter = text[at]!;
    visit(letter, at, depth);
    if (quoted && letter === '\\') visit(text[(at += 1)] ?? '', at, depth);
    else if (letter === '"') quoted = !quoted;
    else if (!quoted && letter === '(') depth += 1;
    else if (!quoted && letter === ')') depth -= 1;
  }
}
