/** Ink and ground for one colour scheme; every pair that carries text has a contrast of at least 4.5. */
const light = `
  --ground: #ffffff; --panel: #f5f6f8; --ink: #1a1e24; --faint: #59616c; --line: #d9dde3; --link: #1f5a9c;
  --critical: #b3261e; --critical-ground: #fdf1f0; --warning: #8a5100; --warning-ground: #fdf6ea;
  --good: #1c6b3a; --good-ground: #f0f8f2; --unknown: #5f4b96; --unknown-ground: #f5f3fb; --on: #ffffff;
  --driver: #7445a0; --taps: #c2410c; --rest: #2b66a5; --soft: #4a5361; --odd: #b9bfc8; --odd-line: #8d96a2; --on-odd: #1a1e24; --rail: #e8ebef;`;
const dark = `
  --ground: #101318; --panel: #181c23; --ink: #e4e8ee; --faint: #9ba5b3; --line: #2d343e; --link: #8cbcf0;
  --critical: #ff8a80; --critical-ground: #251516; --warning: #efb451; --warning-ground: #211a10;
  --good: #72c98d; --good-ground: #121f17; --unknown: #bcabf2; --unknown-ground: #1a1726; --on: #101318;
  --driver: #b893de; --taps: #f08a4b; --rest: #6aa5e3; --soft: #c3cad4; --odd: #525c69; --odd-line: #7b8694; --on-odd: #ffffff; --rail: #262c35;`;

/** Rows become cards on screens narrower than their table can be. */
function cards(table: string, width: number): string {
  return `@media screen and (max-width: ${width}px) {
  ${table}, ${table} tbody, ${table} tr, ${table} th, ${table} td, ${table} caption { display: block; }
  ${table} thead { display: none; }
  ${table} tr { padding: 0.5rem 0; border-bottom: 1px solid var(--line); }
  ${table} th, ${table} td { border: 0; padding: 0.08rem 0; }
  ${table} tbody th { font-weight: 600; width: auto; min-width: 0; }
  ${table} td, ${table} td.r, ${table} td.w { display: grid; grid-template-columns: 8rem minmax(0, 1fr); gap: 0 0.6rem; text-align: left; white-space: normal; }
  ${table} td::before { content: attr(data-label); color: var(--faint); }
  ${table} td > * { grid-column: 2; }
}
`;
}

export const styleSheet = `:root { color-scheme: light dark;${light} }
@media screen and (prefers-color-scheme: dark) { :root {${dark} } }
* { box-sizing: border-box; }
/* Right-to-left letters in a name must not rearrange what stands beside it. */
body, body * { direction: ltr; unicode-bidi: bidi-override; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", Arial, sans-serif; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
header, main, footer { max-width: 70rem; margin: 0 auto; padding: 0 clamp(0.9rem, 3vw, 2rem); }
header p { margin: 0.9rem 0; color: var(--faint); font-size: 0.86rem; }
header span { display: inline-block; max-width: 100%; }
header b { color: var(--ink); }
footer { margin: 2.5rem auto 2rem; color: var(--faint); font-size: 0.86rem; }
p { margin: 0.45rem 0; }
h1 { font-size: clamp(1.2rem, 0.95rem + 1.1vw, 1.65rem); line-height: 1.25; font-weight: 650; margin: 0.4rem 0 0.5rem; letter-spacing: -0.01em; text-wrap: balance; }
h2 { font-size: 1.12rem; line-height: 1.3; font-weight: 650; margin: 0 0 0.7rem; }
h2.small { font-size: 0.9rem; margin: 1rem 0 0.2rem; }
h3 { font-size: 1rem; line-height: 1.35; font-weight: 600; margin: 0.3rem 0; }
section { margin-top: 1.9rem; padding-top: 1.1rem; border-top: 1px solid var(--line); }
section:target, article:target { scroll-margin-top: 0.5rem; }
ul, ol { padding-left: 1.25rem; margin: 0.4rem 0; }
a { color: var(--link); text-underline-offset: 0.15em; }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; border-radius: 2px; }
small { font-size: 0.82rem; color: var(--faint); display: block; font-weight: 400; }
code { font-family: ui-monospace, "SF Mono", "Cascadia Mono", "Liberation Mono", "DejaVu Sans Mono", Menlo, Consolas, monospace; font-size: 0.9em; }
pre { margin: 0.35rem 0; padding: 0.45rem 0.7rem; background: var(--panel); border: 1px solid var(--line); border-radius: 5px; white-space: pre-wrap; font-size: 0.92rem; line-height: 1.45; }
.faint { color: var(--faint); font-size: 0.86rem; font-weight: 400; }
.sr { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
svg { display: block; }
svg.defs { position: absolute; }
svg text { font: 11px system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", Arial, sans-serif; fill: var(--faint); font-variant-numeric: tabular-nums; }

.label { margin: 0; font-size: 0.88rem; color: var(--faint); }
.label a { color: inherit; }
.certainty { font-weight: 600; color: var(--ink); }
.impact { float: right; font-weight: 600; color: var(--ink); }
.pill { display: inline-block; padding: 0.05rem 0.5rem; border-radius: 4px; font-size: 0.8rem; font-weight: 650; border: 1px solid currentColor; color: var(--faint); white-space: nowrap; }
.pill.critical { background: var(--critical); border-color: var(--critical); color: var(--on); }
.pill.warning { background: var(--warning); border-color: var(--warning); color: var(--on); }
.pill.ok { background: var(--good); border-color: var(--good); color: var(--on); }
.pill.not-measured { background: var(--unknown); border-color: var(--unknown); color: var(--on); }
.verdict { margin-top: 0; padding: 1rem clamp(0.9rem, 2.5vw, 1.6rem); border: 1px solid var(--line); border-left: 5px solid var(--faint); border-radius: 6px; }
.verdict.critical { border-left-color: var(--critical); background: var(--critical-ground); }
.verdict.warning { border-left-color: var(--warning); background: var(--warning-ground); }
.verdict.ok { border-left-color: var(--good); background: var(--good-ground); }
.verdict.not-measured { border-left-color: var(--unknown); background: var(--unknown-ground); }
.verdict pre { background: var(--ground); }
.answer { margin: 0.6rem 0 0; }
.answer div { display: grid; grid-template-columns: 4.8rem minmax(0, 1fr); gap: 0 0.9rem; margin: 0.3rem 0; }
.answer dt { font-weight: 600; }
.answer dd { margin: 0; max-width: 62rem; }
.also { list-style: none; padding: 0; margin: 0; }
.also li { margin: 0.3rem 0; }
.checks { margin: 0.3rem 0 0; font-size: 0.86rem; color: var(--faint); }
nav { margin: 1rem 0 0; font-size: 0.88rem; line-height: 2; }
nav a { margin-right: 0.9rem; display: inline-block; }

.figures, .facts { margin: 0; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); gap: 1px; border: 1px solid var(--line); border-radius: 6px; overflow: hidden; }
.figures div { box-shadow: 0 0 0 1px var(--line); padding: 0.55rem 0.8rem; display: flex; flex-direction: column-reverse; justify-content: flex-end; }
.figures dt { font-size: 0.86rem; }
.figures dd { margin: 0; font-size: 1.3rem; font-weight: 650; line-height: 1.25; }
.figures small { line-height: 1.3; }
.facts div { display: grid; grid-template-columns: minmax(8rem, 12rem) 1fr; gap: 0 1rem; margin: 0.2rem 0; }
.facts dt { color: var(--faint); } .facts dd { margin: 0; }

figure { margin: 1.1rem 0 0; }
figcaption { color: var(--faint); font-size: 0.86rem; margin-bottom: 0.5rem; }
.stacked > ul:not(.legend) { list-style: none; padding: 0; margin: 0; }
.stacked > ul:not(.legend) li { display: grid; grid-template-columns: minmax(7rem, 15rem) 1fr 5rem; gap: 0 0.9rem; align-items: center; margin: 0.3rem 0; }
.stacked .total { text-align: right; font-weight: 600; }
.bar { border-radius: 3px; background: var(--rail); overflow: hidden; }
.part-driver-gro { fill: var(--driver); } .part-taps { fill: var(--taps); } .part-tracing { fill: var(--soft); } .part-net-rx-rest { fill: var(--rest); } .part-unexplained { fill: url(#hatch); } .part-unsplit { fill: var(--odd); }
.hatch-ground { fill: var(--odd); } .hatch-line { fill: var(--odd-line); }
.bar text { font-size: 12px; font-weight: 650; pointer-events: none; }
.on-driver-gro, .on-tracing, .on-taps, .on-net-rx-rest { fill: var(--on); } .on-unexplained { fill: var(--on-odd); paint-order: stroke; stroke: var(--odd); stroke-width: 3px; }
.legend { list-style: none; padding: 0; margin: 0.7rem 0 0; display: flex; flex-wrap: wrap; gap: 0.15rem 1.4rem; font-size: 0.86rem; }
.key { display: inline-block; vertical-align: -1px; }

.spans { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(27rem, 100%), 1fr)); gap: 1.2rem 2.2rem; }
.span { margin: 0; min-width: 0; break-inside: avoid; }
.span h3 { color: var(--ink); margin: 0; }
.histogram { overflow: visible; }
.bars-taps rect { fill: var(--taps); } .bars-stack rect, .bars-forward rect { fill: var(--rest); }
.bars-taps rect, .bars-stack rect, .bars-forward rect { stroke: var(--ground); stroke-width: 1px; vector-effect: non-scaling-stroke; }
.before { fill: none; stroke: var(--ink); stroke-width: 1.25px; vector-effect: non-scaling-stroke; }
.axis, .tick line { stroke: var(--faint); }
.mark-floor line { stroke: var(--faint); stroke-dasharray: 3 3; } .mark-floor text { fill: var(--faint); }
.mark-now line { stroke: var(--ink); } .mark-now text { fill: var(--ink); font-weight: 600; }
.mark-before line { stroke: var(--ink); stroke-dasharray: 1 3; } .mark-before text { fill: var(--ink); }
.flames { overflow: hidden; }
.icicle { display: block; }
.frame { stroke: var(--ground); stroke-width: 1px; }
.icicle text { font-size: 11px; fill: #16181d; pointer-events: none; }
.icicle g:hover rect { stroke: var(--ink); }
.class-netdevice { fill: #7fb2e5; } .class-tcp-ip { fill: #f2b96b; } .class-data-copy { fill: #e58f8f; } .class-skb { fill: #9fd08f; }
.class-memory { fill: #c9a8e0; } .class-lock { fill: #e08fc0; } .class-scheduling { fill: #8fd0c8; } .class-other { fill: #c9c4a3; } .class-none { fill: #d4d7dd; }

.node { margin-top: 0.9rem; break-inside: avoid; }
.node h3 { display: inline; margin-right: 0.5rem; }
.cpus { list-style: none; padding: 0; margin: 0.45rem 0 0; display: grid; grid-template-columns: repeat(auto-fill, minmax(3.7rem, 1fr)); gap: 5px; }
.cpus li { position: relative; padding: 0.15rem 0.35rem 0.3rem; border: 1px solid var(--line); border-radius: 4px; font-size: 0.8rem; line-height: 1.35; min-width: 0; }
.cpus.many { grid-template-columns: repeat(auto-fill, minmax(2.1rem, 1fr)); gap: 3px; }
.cpus.many li { padding: 0.05rem 0.2rem 0.2rem; font-size: 0.7rem; }
.cpus .ring, .key.ring { border: 2px dashed var(--unknown); }
.cpus .idle { color: var(--faint); }
.cpus .lossy { background: var(--critical-ground); border-color: var(--critical); }
.key.ring { width: 14px; height: 12px; border-radius: 3px; vertical-align: -2px; }
.rail { fill: var(--rail); } .soft { fill: var(--soft); } .work { fill: var(--rest); }

table { border-collapse: collapse; width: 100%; margin: 0.7rem 0; font-size: 0.88rem; }
caption { text-align: left; color: var(--faint); padding-bottom: 0.3rem; }
th, td { text-align: left; vertical-align: top; padding: 0.32rem 0.9rem 0.32rem 0; border-bottom: 1px solid var(--line); font-weight: 400; }
th:last-child, td:last-child { padding-right: 0; }
thead th { color: var(--faint); font-size: 0.82rem; vertical-align: bottom; overflow-wrap: normal; }
th.r, td.r { text-align: right; }
td.r, td.w { white-space: nowrap; }
td { min-width: 4.2rem; } tbody th { min-width: 8rem; }
td.r small { white-space: normal; }
.bill { margin-top: 3px; min-width: 5rem; background: var(--rail); }
.evidence tbody th { width: 55%; }
details { margin: 0.6rem 0; }
summary { cursor: pointer; width: fit-content; color: var(--link); font-size: 0.92rem; }
.finding { margin: 1.1rem 0; padding: 0.2rem 0 0.2rem 0.95rem; border-left: 3px solid var(--line); }
.finding.critical { border-left-color: var(--critical); } .finding.warning { border-left-color: var(--warning); }
.finding > p, .remedies { max-width: 62rem; }
.remedies li { margin: 0.5rem 0; }
.verify { margin: 0.3rem 0 0; color: var(--faint); font-size: 0.86rem; }
.checked { margin-top: 1.4rem; }
.reasons li { margin: 0.25rem 0; }
.codes { color: var(--faint); font-size: 0.86rem; }

@media screen and (max-width: 640px) {
  .stacked > ul:not(.legend) li { grid-template-columns: 1fr auto; gap: 0.15rem 0.9rem; margin: 0.6rem 0; }
  .stacked .bar { grid-column: 1 / -1; grid-row: 2; }
  .figures { grid-template-columns: 1fr 1fr; }
  .flames { display: none; }
  .facts div, .answer div { grid-template-columns: minmax(0, 1fr); margin: 0.45rem 0; }
  .impact { float: none; display: block; }
  nav a { padding: 0.15rem 0; }
  summary { padding: 0.3rem 0; }
}
${cards('.stack', 640)}${cards('.taps', 780)}${cards('.wide', 900)}${cards('.widest', 1040)}@media print {
  @page { margin: 14mm; }
  :root { font-size: 12.5px; }
  body { font-size: 1rem; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  header, main, footer { max-width: none; padding: 0; }
  nav { display: none; }
  details::details-content { display: block; content-visibility: visible; height: auto; }
  summary { list-style: none; color: var(--faint); }
  summary::-webkit-details-marker { display: none; }
  a { color: inherit; text-decoration: none; }
  section { margin-top: 1.2rem; }
  table { font-size: 0.8rem; }
  th, td { padding-right: 0.5rem; min-width: 0; overflow-wrap: break-word; }
  td code, tbody th { overflow-wrap: anywhere; }
  tbody th { min-width: 6rem; }
  tr, li, .verdict, figure, pre { break-inside: avoid; }
  h2, h3, caption, summary { break-after: avoid; }
}
`;
